import { type BucketPolicy, readBucketPolicy } from "#access/bucket-policy.ts";
import { PolicyError } from "#access/policy-error.ts";
import { Rules } from "#access/rules.ts";
import { readXml } from "#base/xml.ts";
import type { DocumentKind } from "#catalog/catalog.ts";
import {
  type ControlSettings,
  DEFAULT_CONTROL_SETTINGS,
  readControlSettings,
} from "#catalog/control-settings.ts";
import type { Bucket } from "#object/bucket.ts";
import { type LifecycleRule, readLifecycle } from "#object/lifecycle.ts";

/** What a bucket's documents mean to a request. */
export interface BucketSettings {
  readonly policy: BucketPolicy | undefined;
  /** A public policy lets nobody in but principals of the owner. */
  readonly restrictPublic: boolean;
  readonly lifecycle: readonly LifecycleRule[];
  /** A write that asks for no encryption is encrypted all the same. */
  readonly encrypts: boolean;
  readonly control: ControlSettings;
}

export const NO_SETTINGS: BucketSettings = {
  policy: undefined,
  restrictPublic: false,
  lifecycle: [],
  encrypts: false,
  control: DEFAULT_CONTROL_SETTINGS,
};

export async function readSettings(
  bucket: Bucket,
  text: (kind: DocumentKind) => Promise<string | undefined>,
): Promise<BucketSettings> {
  const lifecycle = await text("lifecycle");
  const policy = await text("policy");
  const block = await text("publicAccessBlock");
  return {
    policy: policy === undefined ? undefined : storedPolicy(policy, bucket),
    restrictPublic: block?.includes("<RestrictPublicBuckets>true<") === true,
    lifecycle: lifecycle === undefined ? [] : readLifecycle(readXml(lifecycle)),
    encrypts: (await text("encryption")) !== undefined,
    control: readControlSettings(await text("settings")),
  };
}

/** What no longer reads as a policy allows nothing, until its owner puts another one. */
function storedPolicy(text: string, { name }: Bucket): BucketPolicy {
  try {
    return readBucketPolicy(text, name);
  } catch (cause) {
    if (cause instanceof PolicyError) return { rules: new Rules([]), isPublic: false };
    throw cause;
  }
}
