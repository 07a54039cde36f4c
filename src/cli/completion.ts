import type { Command, Option } from "#cli/command.ts";
import { UsageError } from "#cli/failure.ts";
import { COMMON } from "#cli/given.ts";
import { LOCAL_COMMANDS } from "#cli/help.ts";

/** Words that may come next, by the words before them: "" , "key", "key create". */
type Words = ReadonlyMap<string, readonly string[]>;

const SHELLS = ["bash", "zsh", "fish"];

/** A script for one of the shells. Fails: UsageError. */
export function completion(shell: string | undefined, commands: readonly Command[]): string {
  const words = wordsOf(commands);
  switch (shell) {
    case "bash":
      return bash(words);
    case "zsh":
      // It reads completions that were written for bash.
      return `autoload -Uz bashcompinit && bashcompinit\n${bash(words)}`;
    case "fish":
      return fish(words);
    default:
      throw new UsageError(`Name a shell: lode completion ${SHELLS.join("|")}.`);
  }
}

function wordsOf(commands: readonly Command[]): Words {
  const words = new Map<string, string[]>();
  const add = (before: string, word: string) => {
    const known = words.get(before) ?? [];
    if (!known.includes(word)) words.set(before, [...known, word]);
  };
  for (const { usage } of LOCAL_COMMANDS) add("", usage.split(" ", 1).join());
  add("", "help");
  for (const shell of SHELLS) add("completion", shell);
  for (const { name, options } of commands) {
    const parts = name.split(" ");
    for (const [at, part] of parts.entries()) add(parts.slice(0, at).join(" "), part);
    for (const option of optionsOf({ ...options, ...COMMON })) add(name, option);
  }
  return words;
}

function optionsOf(options: Readonly<Record<string, Option>>): readonly string[] {
  return Object.keys(options).map((name) => `--${name}`);
}

function bash(words: Words): string {
  const cases = [...words].map(
    ([before, next]) => `    ${JSON.stringify(before)}) next=${JSON.stringify(next.join(" "))} ;;`,
  );
  return `# bash completion of lode; put into your .bashrc: eval "$(lode completion bash)"
_lode() {
  local before="" word next=""
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "$word" in
      -*) ;;
      *) case " $(_lode_words "$before") " in *" $word "*) before="\${before:+$before }$word" ;; esac ;;
    esac
  done
  COMPREPLY=($(compgen -W "$(_lode_words "$before")" -- "\${COMP_WORDS[COMP_CWORD]}"))
}
_lode_words() {
  local next=""
  case "$1" in
${cases.join("\n")}
  esac
  printf '%s' "$next"
}
complete -o default -F _lode lode
`;
}

function fish(words: Words): string {
  const lines = [...words].flatMap(([before, next]) =>
    next.map((word) => {
      const isOption = word.startsWith("--");
      const condition = `${isOption ? "__lode_in" : "__lode_at"} ${JSON.stringify(before)}`;
      const candidate = isOption ? `-l ${word.slice(2)}` : `-f -a ${word}`;
      return `complete -c lode -n '${condition}' ${candidate}`;
    }),
  );
  return `# fish completion of lode; put into config.fish: lode completion fish | source
function __lode_words
  for word in (commandline -opc)[2..-1]
    string match -q -- '-*' $word; or printf '%s ' $word
  end
end
function __lode_at
  test (__lode_words | string trim) = "$argv[1]"
end
function __lode_in
  string match -q -- "$argv[1] *" (__lode_words)
end
${lines.join("\n")}
`;
}
