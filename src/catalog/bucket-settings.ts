import { type BucketPolicy, readBucketPolicy } from "#access/bucket-policy.ts";
import { PolicyError } from "#access/policy-error.ts";
import { Rules } from "#access/rules.ts";
import { StorageError } from "#base/error.ts";
import { readXml } from "#base/xml.ts";
import type { DocumentKind } from "#catalog/catalog.ts";
import {
  type ControlSettings,
  DEFAULT_CONTROL_SETTINGS,
  readControlSettings,
  STRICTEST_CONTROL_SETTINGS,
} from "#catalog/control-settings.ts";
import type { Bucket } from "#object/bucket.ts";
import { type LifecycleRule, readLifecycle } from "#object/lifecycle.ts";
import type { BucketName } from "#object/name.ts";

/** What a bucket's documents mean to a request. */
export interface BucketSettings {
  readonly policy: BucketPolicy | undefined;
  /** A public policy lets nobody in but principals of the owner. */
  readonly restrictPublic: boolean;
  readonly lifecycle: readonly LifecycleRule[];
  /** A write that asks for no encryption is encrypted all the same. */
  readonly encrypts: boolean;
  readonly control: ControlSettings;
  /** Of the first document that cannot be read. */
  readonly damage: StorageError | undefined;
}

export const NO_SETTINGS: BucketSettings = {
  policy: undefined,
  restrictPublic: false,
  lifecycle: [],
  encrypts: false,
  control: DEFAULT_CONTROL_SETTINGS,
  damage: undefined,
};

/**
 * Each document by itself: where one cannot be read it is taken for the strictest that there can be, until its
 * owner puts another one.
 */
export async function readSettings(
  { name }: Pick<Bucket, "name">,
  text: (kind: DocumentKind) => Promise<string | undefined>,
): Promise<BucketSettings> {
  let damage: StorageError | undefined;
  const read = async <T>(kind: DocumentKind, { meaning, strictest }: Reading<T>): Promise<T> => {
    try {
      return meaning(await text(kind));
    } catch (cause) {
      if (cause instanceof StorageError && cause.kind !== "corrupt") throw cause;
      damage ??= damagedDocument(name, kind, cause);
      return strictest;
    }
  };
  return {
    policy: await read("policy", {
      meaning: (stored) => (stored === undefined ? undefined : storedPolicy(stored, name)),
      strictest: ALLOWS_NOTHING,
    }),
    restrictPublic: await read("publicAccessBlock", {
      meaning: (stored) => stored?.includes("<RestrictPublicBuckets>true<") === true,
      strictest: true,
    }),
    lifecycle: await read("lifecycle", {
      meaning: (stored) => (stored === undefined ? [] : readLifecycle(readXml(stored))),
      strictest: [],
    }),
    encrypts: await read("encryption", {
      meaning: (stored) => stored !== undefined,
      strictest: true,
    }),
    control: await read("settings", {
      meaning: readControlSettings,
      strictest: STRICTEST_CONTROL_SETTINGS,
    }),
    damage,
  };
}

interface Reading<T> {
  readonly meaning: (stored: string | undefined) => T;
  readonly strictest: T;
}

const ALLOWS_NOTHING: BucketPolicy = { rules: new Rules([]), isPublic: false };

/** One that an older release took, and this one would not, allows nothing; its owner may still read it. */
function storedPolicy(text: string, name: BucketName): BucketPolicy {
  try {
    return readBucketPolicy(text, name);
  } catch (cause) {
    if (cause instanceof PolicyError) return ALLOWS_NOTHING;
    throw cause;
  }
}

export function damagedDocument(
  name: BucketName,
  kind: DocumentKind,
  cause: unknown,
): StorageError {
  const message = `the document "${kind}" of bucket "${name}" cannot be read`;
  return new StorageError("corrupt", message, cause);
}
