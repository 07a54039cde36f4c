import { assert } from "#base/assert.ts";
import {
  type ControlSettings,
  readControlSettings,
  STRICTEST_CONTROL_SETTINGS,
} from "#catalog/control-settings.ts";

/** A document of a bucket, as it is stored. */
interface StoredDocument {
  readonly format: number;
  readonly text: string;
}

const FORMAT = 1;

export function packDocument(text: string): Buffer {
  const stored: StoredDocument = { format: FORMAT, text };
  return Buffer.from(JSON.stringify(stored));
}

/** Fails for what is no document. */
export function unpackDocument(value: Uint8Array): string {
  const { format, text } = JSON.parse(Buffer.from(value).toString()) as Partial<StoredDocument>;
  assert(format === FORMAT, "a document has the format this release writes");
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
