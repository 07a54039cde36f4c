import fc from "fast-check";
import type { ChecksumAlgorithm } from "#base/checksum.ts";
import type { Attributes, ChecksumType } from "#object/attributes.ts";
import type { Versioning } from "#object/bucket.ts";
import { NO_ATTRIBUTES } from "#test/model/version.ts";

/** What is done next, by what there is then: an intention becomes a Call when its turn comes. */
export type Step = Arbitrated<typeof versionedStep>;
type Arbitrated<A> = A extends fc.Arbitrary<infer Value> ? Value : never;
export type StepOf<Kind extends Step["kind"]> = Extract<Step, { readonly kind: Kind }>;
export type Sources = Arbitrated<typeof conditions>;
export type WriteAsked = Arbitrated<typeof writeConditions>;
export type VersionRef = Arbitrated<typeof version>;
export type TagRef = Arbitrated<typeof tag>;
export type TimeRef = Arbitrated<typeof time>;

export const BUCKETS = ["first", "second"] as const;

/** Few, so that steps meet; among them neighbours in the orders of bytes, of UTF-16 and of escapes. */
const KEYS = ["a", "a", "a", "a/b", "a/b", "a\u0000b", "\u{10000}", "\uFFFD"];
/** About the limit of what lives in a record, which is 16 here, and of the least part, which is 5. */
const SIZES = [17, 0, 3, 5, 16, 40];

const bucket = fc.constantFrom<string[]>(...times(7, "first"), "second");
const key = fc.constantFrom(...KEYS);
const where = { bucket, key };
const bytes = fc.tuple(fc.constantFrom(...SIZES), fc.nat(3)).map(([size, seed]) => {
  return Uint8Array.from({ length: size }, (_, at) => (at * 31 + seed) & 255);
});
const algorithm = fc.constantFrom<(ChecksumAlgorithm | undefined)[]>(
  ...times(4, undefined),
  ...(["CRC32", "CRC32C", "CRC64NVME", "SHA1", "SHA256"] as const),
);
const wrong = fc.constantFrom<("MD5" | "checksum" | undefined)[]>(
  ...times(30, undefined),
  ...(["MD5", "checksum"] as const),
);
const sent = { bytes, algorithm, wrong };
const FIRST_TAGS: Attributes["tags"] = [["color", "red"]];
const attributes = fc.constantFrom<Attributes[]>(
  NO_ATTRIBUTES,
  { ...NO_ATTRIBUTES, headers: { "content-type": "text/plain" }, userMetadata: { a: "é" } },
  { ...NO_ATTRIBUTES, tags: FIRST_TAGS, storageClass: "STANDARD_IA" },
);
/** A number: that version of the key, from the newest. */
const version = fc.constantFrom(
  ...times(10, "newest" as const),
  ...([0, 1, 1, 2, 2, "null", "null", "missing", "malformed"] as const),
);
/** A number: that key of those that there are. */
const source = fc.oneof({ weight: 6, arbitrary: fc.nat(3) }, { weight: 1, arbitrary: key });

/** A tag: of the version the condition is held against, bare, in quotes, in a list; or another's. */
const tag = fc.constantFrom(
  ...([undefined, undefined, "its", "quoted", "listed", "other", "any"] as const),
);
/** A time, by that of the version the condition is held against. */
const time = fc.constantFrom(...([undefined, undefined, "before", "at", "after"] as const));
const conditions = fc.oneof(
  { weight: 6, arbitrary: fc.constant({ match: undefined, noneMatch: undefined }) },
  {
    weight: 1,
    arbitrary: fc.record({
      ...{ match: tag, noneMatch: tag, modifiedSince: time, unmodifiedSince: time },
    }),
  },
);
const writeConditions = fc.constantFrom(
  ...times(20, undefined),
  ...(["mustNotExist", "its", "its", "quoted", "other", "any"] as const),
);

const put = fc.record({ kind: is("put"), ...where, ...sent, attributes, when: writeConditions });
const remove = fc.record({
  ...{ kind: is("delete"), ...where, version },
  when: fc.constantFrom(...times(8, undefined), ...(["its", "its", "other"] as const)),
  ifWritten: fc.constantFrom(...times(8, undefined), ...(["same", "same", "later"] as const)),
});
const copy = fc.record({
  ...{ kind: is("copy"), ...where, sourceBucket: bucket, source, version },
  ...{ sourceWhen: conditions, when: writeConditions, algorithm },
  attributes: fc.option(attributes, { nil: undefined }),
});
const rename = fc.record({
  ...{ kind: is("rename"), ...where, source, sourceWhen: conditions, when: conditions },
  token: fc.constantFrom(...times(3, undefined), ...(["one", "two"] as const)),
});
const setTags = fc.record({
  ...{ kind: is("setTags"), ...where, version },
  tags: fc.constantFrom<Attributes["tags"][]>([], FIRST_TAGS, [
    ["a", ""],
    ["b", "ü"],
  ]),
});
const createUpload = fc.record({
  ...{ kind: is("createUpload"), ...where, attributes },
  sums: fc.constantFrom<(readonly [ChecksumAlgorithm?, ChecksumType?])[]>(
    ...([[], [], ["CRC32", "FULL_OBJECT"], ["CRC32", "COMPOSITE"]] as const),
    ...([["SHA256", "COMPOSITE"], ["CRC64NVME", "FULL_OBJECT"], ["CRC32C"]] as const),
  ),
});
/** By when they were begun; the open ones, or all that ever were. */
const upload = { bucket, upload: fc.nat(3), ofAll: chance(12) };
const number = fc.integer({ min: 1, max: 4 });
const putPart = fc.record({
  ...{ kind: is("putPart"), ...upload, number, bytes, wrong },
  sum: fc.constantFrom<("its" | ChecksumAlgorithm | undefined)[]>(undefined, "its", "its", "SHA1"),
});
const copyPart = fc.record({
  ...{ kind: is("copyPart"), ...upload, number, sourceBucket: bucket, source, version },
  ...{ sourceWhen: conditions, first: fc.nat(12) },
  length: fc.option(fc.integer({ min: 1, max: 20 }), { nil: undefined }),
});
const completeUpload = fc.record({
  ...{ kind: is("completeUpload"), ...upload, when: writeConditions },
  leaveOut: fc.subarray([1, 2, 3, 4], { maxLength: 2 }),
  fault: fc.constantFrom<("order" | "missing" | "tag" | "size" | undefined)[]>(
    ...times(16, undefined),
    ...(["order", "missing", "tag", "size"] as const),
  ),
});
const abortUpload = fc.record({ kind: is("abortUpload"), ...upload });
const collect = fc.record({ kind: is("collect") });
const createBucket = fc.record({ kind: is("createBucket"), bucket });
const deleteBucket = fc.record({ kind: is("deleteBucket"), bucket });
const setVersioning = fc.record({
  ...{ kind: is("setVersioning"), bucket },
  to: fc.constantFrom<Exclude<Versioning, undefined>[]>("Enabled", "Suspended"),
});
const days = fc.option(fc.integer({ min: 1, max: 3 }), { nil: undefined });
const rule = fc
  .record({
    ...{ expire: days, abort: days, markers: fc.boolean() },
    noncurrent: fc.option(fc.record({ days: fc.integer({ min: 1, max: 2 }), keep: fc.nat(2) }), {
      nil: undefined,
    }),
  })
  .map((made) => {
    const none = made.expire === undefined && made.abort === undefined && !made.noncurrent;
    // A rule expires objects or lonely markers, and does something.
    return { ...made, markers: (made.markers || none) && made.expire === undefined };
  });
const sweep = fc.record({ kind: is("sweep"), days: fc.nat(3), rule });

const inOneBucket = [
  weighted(20, put),
  weighted(12, remove),
  weighted(12, copy),
  weighted(6, setTags),
  weighted(4, createUpload),
  weighted(16, putPart),
  weighted(8, copyPart),
  weighted(12, completeUpload),
  weighted(2, abortUpload),
  weighted(4, collect),
];
const ofBuckets = [weighted(2, createBucket), weighted(1, deleteBucket)];
const plainStep = fc.oneof(...inOneBucket, ...ofBuckets, weighted(12, rename), weighted(3, sweep));
const versionedStep = fc.oneof(
  ...[...inOneBucket, ...ofBuckets, weighted(2, rename), weighted(3, sweep)],
  weighted(8, setVersioning),
);
/** Only what leaves other buckets alone, so that histories can run side by side. */
const ownStep = fc.oneof(...inOneBucket, weighted(6, rename), weighted(2, setVersioning));

const LENGTH = { minLength: 1, maxLength: 40, size: "max" } as const;

/** Steps in buckets that never keep versions, or whose versioning is changed now and then. */
export const history: fc.Arbitrary<Step[]> = fc.oneof(
  fc.array(plainStep, LENGTH),
  fc.array(versionedStep, LENGTH),
);
/** So many histories, each of so many steps, that may run at the same time in buckets of their own. */
export function histories(many: number, steps: number): fc.Arbitrary<Step[][]> {
  const one = fc.array(ownStep, { minLength: steps, maxLength: steps });
  return fc.array(one, { minLength: many, maxLength: many });
}

function is<Kind extends string>(kind: Kind): fc.Arbitrary<Kind> {
  return fc.constant(kind);
}

function times<T>(many: number, value: T): T[] {
  return Array.from({ length: many }, () => value);
}

function weighted<T>(weight: number, arbitrary: fc.Arbitrary<T>) {
  return { weight, arbitrary };
}

/** True once in so many times. */
function chance(many: number): fc.Arbitrary<boolean> {
  return fc.nat(many - 1).map((drawn) => drawn === many - 1);
}
