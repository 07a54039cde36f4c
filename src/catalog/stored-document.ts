import { assert } from "#base/assert.ts";
import { packRecord, unpackRecord } from "#base/json-record.ts";
import {
  type ControlSettings,
  readControlSettings,
  STRICTEST_CONTROL_SETTINGS,
} from "#catalog/control-settings.ts";

/** A document of a bucket, as it is stored. */
interface StoredDocument {
  readonly text: string;
}

export function packDocument(text: string): Buffer {
  return packRecord({ text } satisfies StoredDocument);
}

/** Fails for what is no document. */
export function unpackDocument(value: Uint8Array): string {
  const { text } = unpackRecord(value) as Partial<StoredDocument>;
  assert(typeof text === "string", "a document is a text");
  return text;
}

/** Those that cannot be read are put right by the next change. */
export function controlSettingsIn(value: Uint8Array | undefined): ControlSettings {
  try {
    return readControlSettings(value && unpackDocument(value));
  } catch {
    return STRICTEST_CONTROL_SETTINGS;
  }
}
