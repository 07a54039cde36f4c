import cluster from "node:cluster";
import { StorageError } from "#base/error.ts";
import { ConfigError, readConfig } from "#config.ts";

/**
 * Of the pool that reads, writes and syncs files, in each process that is started here. Node's four are soon all waiting for a slow
 * disk or volume, and keep whoever wants another file waiting.
 */
const FILE_THREADS = "16";

/** A setting that cannot be used, or a data directory that cannot be had. */
const EXIT_SETTING = 2;

// Each command loads what it needs, so that those that only ask a server start fast.
if (cluster.isWorker) import("#process/worker.ts").then(({ runWorker }) => runWorker()).catch(fail);
else if (isCommitter())
  import("#process/committer.ts").then(({ runCommitter }) => runCommitter()).catch(fail);
else run(process.argv.slice(2)).catch(fail);

/** Started by the supervisor, beside its workers; no command for people. */
function isCommitter(): boolean {
  return process.connected && process.argv[2] === "committer";
}

async function run([command, ...args]: readonly string[]): Promise<void> {
  switch (command) {
    case "serve": {
      if (args.includes("--help") || args.includes("-h")) {
        const { settingsHelp } = await import("#settings.ts");
        process.stdout.write(`lode serve [settings]\n\n${settingsHelp()}`);
        return;
      }
      const config = readConfig(args, process.env);
      process.env["UV_THREADPOOL_SIZE"] ??= FILE_THREADS;
      const { runSupervisor } = await import("#process/supervisor.ts");
      const { endProcess } = await import("#process/end-process.ts");
      await runSupervisor(config);
      return endProcess(0);
    }
    case "check":
    case "backup":
    case "restore": {
      const { runMaintenance } = await import("#maintenance/command.ts");
      process.exitCode = await runMaintenance(command, args, process.env);
      return;
    }
    case "prove": {
      const { runProve } = await import("#prove/command.ts");
      process.exitCode = await runProve(args, process.env);
      return;
    }
    case "version":
    case "--version": {
      const { default: manifest } = await import("../package.json", { with: { type: "json" } });
      process.stdout.write(`lode ${manifest.version}\n`);
      return;
    }
    default: {
      const { runCli } = await import("#cli/main.ts");
      const { stdout, stderr, exitCode } = await runCli(process.argv.slice(2), process.env);
      process.stdout.write(stdout);
      process.stderr.write(stderr);
      process.exitCode = exitCode;
    }
  }
}

function fail(cause: unknown): never {
  if (cause instanceof ConfigError || cause instanceof StorageError) {
    // One line, whatever a parser had to say.
    process.stderr.write(`lode: ${cause.message.replace(/\s*\n\s*/g, " ")}\n`);
    // A disk that is full may have space the next time; who is told of a setting need not try again.
    process.exit(cause instanceof StorageError && cause.kind === "full" ? 1 : EXIT_SETTING);
  }
  process.stderr.write(`lode: ${cause instanceof Error ? cause.stack : cause}\n`);
  process.exit(1);
}
