import type { Conditions } from "#object/conditions.ts";
import type { KeyPath } from "#volume/key-path.ts";
import type { Volume } from "#volume/volume.ts";

/** What a copy is made from: an object of this volume or of another. */
export interface CopySource {
  readonly volume: Volume;
  readonly path: KeyPath;
  readonly conditions: Conditions;
}
