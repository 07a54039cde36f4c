import { didYouMean } from "#access/nearest.ts";
import { PolicyError, quote } from "#access/policy-error.ts";

/** A value of a JSON document and the way to it, so that a refusal can point. */
export interface Place<T = unknown> {
  /** As `statements[1].actions[0]`; empty for the whole document. */
  readonly path: string;
  readonly value: T;
}

export type Fields = ReadonlyMap<string, Place>;

const TEXT_CHARS_MAX = 2_048;

/** The fields of an object. Fails: PolicyError when it is none, or has one that is not in `known`. */
export function fieldsOf({ path, value }: Place, known: readonly string[]): Fields {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new PolicyError(path, `must be an object {…}, not ${kindOf(value)}.`);
  }
  const fields = new Map<string, Place>();
  for (const [name, inner] of Object.entries(value)) {
    if (!known.includes(name)) {
      const problem = `is no field of ${path === "" ? "a policy" : "this object"}.`;
      throw new PolicyError(below(path, name), problem + didYouMean(name, known));
    }
    fields.set(name, { path: below(path, name), value: inner });
  }
  return fields;
}

/** Any names. Fails: PolicyError when it is no object. */
export function entriesOf({ path, value }: Place): readonly (readonly [string, Place])[] {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new PolicyError(path, `must be an object {…}, not ${kindOf(value)}.`);
  }
  return Object.entries(value).map(([name, inner]) => [
    name,
    { path: below(path, name), value: inner },
  ]);
}

/** Fails: PolicyError when the field is not there. `whole` is where it is missing. */
export function required(fields: Fields, name: string, { path }: Place): Place {
  const place = fields.get(name);
  if (place === undefined) {
    throw new PolicyError(path, `Missing required field ${name}.`);
  }
  return place;
}

/** Fails: PolicyError unless it is a text of 1 to 2,048 characters. */
export function textAt({ path, value }: Place): Place<string> {
  if (typeof value !== "string") {
    throw new PolicyError(path, `must be a text "…", not ${kindOf(value)}.`);
  }
  if (value === "") throw new PolicyError(path, "must not be empty.");
  return { path, value: bounded(path, value) };
}

/** As long as texts may be, and empty too. Fails: PolicyError. */
export function bounded(path: string, text: string): string {
  if (text.length > TEXT_CHARS_MAX) {
    throw new PolicyError(path, `is longer than ${TEXT_CHARS_MAX} characters.`);
  }
  return text;
}

/** What a person calls something. Fails: PolicyError unless 1 to 128 visible characters. */
export function nameAt(place: Place): string {
  const { path, value } = textAt(place);
  if (value.length > NAME_CHARS_MAX || /\p{C}/u.test(value)) {
    const problem = `${quote(value)} is no name. Use 1 to ${NAME_CHARS_MAX} visible characters.`;
    throw new PolicyError(path, problem);
  }
  return value;
}

const NAME_CHARS_MAX = 128;

/** Fails: PolicyError unless it is a list of 1 to `max`. */
export function listAt({ path, value }: Place, max: number): readonly Place[] {
  if (!Array.isArray(value)) {
    throw new PolicyError(path, `must be a list […], not ${kindOf(value)}.`);
  }
  if (value.length === 0) throw new PolicyError(path, "must have at least one element.");
  if (value.length > max) {
    throw new PolicyError(path, `has ${value.length} elements, of which there may be ${max}.`);
  }
  return value.map((inner: unknown, index) => ({ path: `${path}[${index}]`, value: inner }));
}

/** A list, or one that stands for a list of itself. Fails: PolicyError as listAt. */
export function oneOrMany(place: Place, max: number): readonly Place[] {
  return Array.isArray(place.value) ? listAt(place, max) : [place];
}

/** The way to a field of what stands at `path`. */
export function below(path: string, name: string): string {
  const short = /^[\w:/.-]{1,100}$/.test(name) ? name : quote(name);
  return path === "" ? short : `${path}.${short}`;
}

function kindOf(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "a list";
  if (typeof value === "object") return "an object";
  return typeof value === "string" ? `the text ${quote(value)}` : `${value}`;
}
