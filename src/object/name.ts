import { invalidArgument, S3Error } from "#base/error.ts";

declare const brand: unique symbol;
/** A bucket name that a bucket may have. */
export type BucketName = string & { readonly [brand]: "BucketName" };
/** 1 to 1,024 bytes of UTF-8. */
export type ObjectKey = string & { readonly [brand]: "ObjectKey" };
/** 1 to 10,000. */
export type PartNumber = number & { readonly [brand]: "PartNumber" };

const KEY_BYTES_MAX = 1_024;
/** A zero byte takes two in the store's keys, whose length is limited in turn. */
const KEY_ZEROS_MAX = 512;
export const PART_NUMBER_MAX = 10_000;

const SHAPE = /^[a-z0-9](?:[a-z0-9-]{1,61})[a-z0-9]$/;
const RESERVED = /^(?:xn--|cw-|vip-|log-stitcher-ch-)|^int$/;

/**
 * The rules for a new bucket: 3 to 63 of a-z, 0-9 and hyphen, no hyphen at the ends, no dots, not
 * reserved.
 *
 * Spec: CoreWeave AI Object Storage, "Bucket naming rules".
 * Fails: InvalidBucketName.
 */
export function newBucketName(name: string): BucketName {
  if (!SHAPE.test(name)) {
    throw new S3Error(
      "InvalidBucketName",
      { BucketName: name },
      {
        message:
          "The specified bucket is not valid. Use 3 to 63 lower-case letters, digits and hyphens, with a letter or digit at both ends.",
      },
    );
  }
  if (RESERVED.test(name)) {
    throw new S3Error(
      "InvalidBucketName",
      { BucketName: name },
      { message: "The specified bucket name is reserved. Choose another." },
    );
  }
  return name as BucketName;
}

/** Whether a bucket could have the name. */
export function isBucketName(name: string): name is BucketName {
  return SHAPE.test(name);
}

/** The name of a bucket that may exist; reserved names can, since the system makes some itself. */
export function bucketName(name: string): BucketName {
  if (!SHAPE.test(name)) throw new S3Error("InvalidBucketName", { BucketName: name });
  return name as BucketName;
}

/** Fails: KeyTooLongError. An empty key is our own mistake: it would be a bucket operation. */
export function objectKey(key: string): ObjectKey {
  // A UTF-16 unit takes at most three bytes, so that most keys need no count.
  const sizeBytes = key.length * 3 <= KEY_BYTES_MAX ? key.length : Buffer.byteLength(key);
  if (sizeBytes > KEY_BYTES_MAX) {
    throw new S3Error("KeyTooLongError", {
      Size: String(sizeBytes),
      MaxSizeAllowed: String(KEY_BYTES_MAX),
    });
  }
  if (key.includes("\0") && key.split("\0").length > KEY_ZEROS_MAX) {
    throw invalidArgument("Key", "", `A key holds at most ${KEY_ZEROS_MAX} zero characters.`);
  }
  return key as ObjectKey;
}

/** Fails: InvalidArgument. */
export function partNumber(text: string): PartNumber {
  const number = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (number < 1 || number > PART_NUMBER_MAX) {
    throw invalidArgument(
      "partNumber",
      text,
      `Part number must be an integer between 1 and ${PART_NUMBER_MAX}, inclusive`,
    );
  }
  return number as PartNumber;
}
