import { asBuffer } from "#base/bytes.ts";
import { unpackRecord } from "#base/json-record.ts";
import { CONTROL_RECORDS } from "#catalog/control-records.ts";
import { damageOf } from "#catalog/record-shape.ts";
import type { Found } from "#check/problem.ts";
import { entriesIn, spanOf } from "#check/walk.ts";
import type { MetaView } from "#meta/store.ts";
import type { Bucket } from "#object/bucket.ts";

interface Parts {
  readonly view: MetaView;
  readonly found: Found;
}

/** Reads who may do what, and what is set of buckets: each record against its sum. Resolves to how many there are. */
export async function checkControl(
  { view, found }: Parts,
  buckets: ReadonlyMap<string, Bucket>,
): Promise<number> {
  let records = 0;
  for (const [letter, what] of Object.entries(CONTROL_RECORDS)) {
    for await (const { key, value } of entriesIn(view, spanOf(letter))) {
      records += 1;
      if (isReadable(value)) continue;
      const id = asBuffer(key).toString("utf8", 1);
      const name = letter === "d" ? documentName(id, buckets) : id;
      await found.problem({ kind: "control-unreadable", where: `${what} ${name}` });
    }
  }
  return records;
}

function isReadable(value: Uint8Array): boolean {
  try {
    unpackRecord(value);
    return true;
  } catch (cause) {
    damageOf(cause);
    return false;
  }
}

function documentName(id: string, buckets: ReadonlyMap<string, Bucket>): string {
  const [bucketId = "", kind = ""] = id.split("/");
  return `${buckets.get(bucketId)?.name ?? bucketId}: ${kind}`;
}
