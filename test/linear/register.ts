import type { Specification } from "#test/linear/checker.ts";

/** What a client asks of some keys. Values are the digests that ETags show. */
export type Ask =
  | {
      readonly kind: "put";
      readonly key: string;
      readonly value: string;
      /** The value it must have, "*" for any; "none": it must not be there. */
      readonly when: { readonly has: string } | "none" | undefined;
    }
  | { readonly kind: "get"; readonly key: string }
  | { readonly kind: "delete"; readonly key: string; readonly has: string | undefined }
  | { readonly kind: "copy"; readonly from: string; readonly to: string }
  | {
      readonly kind: "rename";
      readonly from: string;
      readonly to: string;
      readonly when: "none" | undefined;
    }
  /** All keys with their values. */
  | { readonly kind: "list" };

export type Told =
  /** What was read, or put by a copy; nothing of other writes. */
  | { readonly kind: "done"; readonly value?: string; readonly keys?: Keys }
  | { readonly kind: "missing" }
  | { readonly kind: "failed" }
  /** A condition that held when it was looked at first did not hold at the commit. */
  | { readonly kind: "conflict" }
  /** It gave up without doing anything, for whatever reason. */
  | { readonly kind: "nothing" };

/** Values by key. */
export type Keys = Readonly<Record<string, string>>;

interface Next {
  readonly told: Told["kind"];
  readonly keys: Keys;
  readonly value?: string | undefined;
}

/** Some keys as compare-and-swap registers, of which one may be moved onto another. */
export const REGISTERS: Specification<Keys, Ask, Told> = {
  initial: {},
  step: (keys, ask, told) => {
    if (told?.kind === "nothing") return keys;
    const next = nextOf(keys, ask);
    if (told === undefined) return next.keys;
    if (told.kind === "conflict") {
      return next.told === "failed" || next.told === "missing" ? keys : undefined;
    }
    if (told.kind !== next.told) return undefined;
    if (told.kind === "done" && told.value !== next.value) return undefined;
    if (told.kind === "done" && ask.kind === "list" && nameOf(told.keys ?? {}) !== nameOf(keys)) {
      return undefined;
    }
    return next.keys;
  },
  name: nameOf,
};

function nextOf(keys: Keys, ask: Ask): Next {
  switch (ask.kind) {
    case "get": {
      const value = keys[ask.key];
      return { told: value === undefined ? "missing" : "done", keys, value };
    }
    case "put": {
      const told = toldOf(ask.when, keys[ask.key]);
      return { told, keys: told === "done" ? { ...keys, [ask.key]: ask.value } : keys };
    }
    case "delete": {
      const when = ask.has === undefined ? undefined : { has: ask.has };
      const told = toldOf(when, keys[ask.key]);
      return { told, keys: told === "done" ? without(keys, ask.key) : keys };
    }
    case "copy": {
      const value = keys[ask.from];
      if (value === undefined) return { told: "missing", keys };
      return { told: "done", keys: { ...keys, [ask.to]: value }, value };
    }
    case "rename": {
      const value = keys[ask.from];
      if (value === undefined) return { told: "missing", keys };
      if (toldOf(ask.when, keys[ask.to]) !== "done") return { told: "failed", keys };
      return { told: "done", keys: { ...without(keys, ask.from), [ask.to]: value } };
    }
    case "list":
      return { told: "done", keys };
  }
}

function toldOf(
  when: { readonly has: string } | "none" | undefined,
  value: string | undefined,
): "done" | "missing" | "failed" {
  if (when === undefined) return "done";
  if (when === "none") return value === undefined ? "done" : "failed";
  if (value === undefined) return "missing";
  return when.has === "*" || when.has === value ? "done" : "failed";
}

function without(keys: Keys, key: string): Keys {
  return Object.fromEntries(Object.entries(keys).filter(([each]) => each !== key));
}

function nameOf(keys: Keys): string {
  return Object.entries(keys)
    .map(([key, value]) => `${key}=${value}`)
    .sort()
    .join();
}
