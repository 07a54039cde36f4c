/** Where a right store is free: its answer is one of these. */
export class OneOf {
  readonly values: readonly unknown[];

  constructor(values: readonly unknown[]) {
    this.values = values;
  }
}

/** What was expected, with `real` wherever the store was free and that is one of the choices. */
export function settled(expected: unknown, real: unknown): unknown {
  if (expected instanceof OneOf) {
    return expected.values.find((each) => isSame(real, each)) ?? expected.values[0];
  }
  if (Array.isArray(expected)) return expected.map((each, at) => settled(each, fieldOf(real, at)));
  if (!isPlain(expected)) return expected;
  return Object.fromEntries(
    Object.entries(expected).map(([name, each]) => [name, settled(each, fieldOf(real, name))]),
  );
}

/** Deep and strict, but that the expected side may leave a choice. */
export function isSame(real: unknown, expected: unknown): boolean {
  if (real === expected) return true;
  if (expected instanceof OneOf) return expected.values.some((each) => isSame(real, each));
  if (Array.isArray(expected)) {
    if (!Array.isArray(real) || real.length !== expected.length) return false;
    return expected.every((each, at) => isSame(real[at], each));
  }
  if (!isPlain(expected) || !isPlain(real)) return false;
  const names = Object.keys(expected);
  return (
    Object.keys(real).length === names.length &&
    names.every((name) => Object.hasOwn(real, name) && isSame(real[name], expected[name]))
  );
}

function isPlain(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function fieldOf(value: unknown, name: string | number): unknown {
  return typeof value === "object" && value !== null ? Reflect.get(value, name) : undefined;
}
