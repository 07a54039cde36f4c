import { StorageError } from "#base/error.ts";

type Check = (value: unknown) => boolean;

/** What each field of a stored record must be for it to be one. */
export type Shape<T extends object> = { readonly [Name in keyof T]-?: Check };

/** Whether it has all that the shape names. What it has besides is let be. */
export function hasShape<T extends object>(value: unknown, shape: Shape<T>): value is T {
  if (!isObject(value)) return false;
  return Object.entries<Check>(shape).every(([name, check]) => check(value[name]));
}

export const isText: Check = (value) => typeof value === "string";
export const isNumber: Check = Number.isFinite;
export const isFlag: Check = (value) => typeof value === "boolean";

/** It may be absent. */
export function maybe(check: Check): Check {
  return (value) => value === undefined || check(value);
}

export function listOf(check: Check): Check {
  return (value) => Array.isArray(value) && value.every(check);
}

/** By whatever names. */
export function mapOf(check: Check): Check {
  return (value) => isObject(value) && Object.values(value).every(check);
}

export function recordOf<T extends object>(shape: Shape<T>): Check {
  return (value) => hasShape(value, shape);
}

/** For `catch`: that what was read is damaged. Fails: as it did, for any other reason. */
export function damageOf(cause: unknown): StorageError {
  if (cause instanceof StorageError && cause.kind === "corrupt") return cause;
  throw cause;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
