import type { Rates } from "#catalog/organization-limits.ts";

/**
 * What the control API sets of a bucket; the names are CoreWeave's. Stored as the bucket's document
 * "settings", as JSON.
 */
export interface ControlSettings {
  readonly auditLoggingEnabled: boolean;
  /** What the bucket may hold; undefined: as much as its organization may. */
  readonly capacityCapBytes: number | undefined;
  /** How fast the bucket may be used, by all together. */
  readonly rates: Rates;
}

export const DEFAULT_CONTROL_SETTINGS: ControlSettings = {
  auditLoggingEnabled: false,
  capacityCapBytes: undefined,
  rates: {},
};

/** Where they cannot be read: whoever wanted records has them. */
export const STRICTEST_CONTROL_SETTINGS: ControlSettings = {
  ...DEFAULT_CONTROL_SETTINGS,
  auditLoggingEnabled: true,
};

export function readControlSettings(text: string | undefined): ControlSettings {
  if (text === undefined) return DEFAULT_CONTROL_SETTINGS;
  return { ...DEFAULT_CONTROL_SETTINGS, ...(JSON.parse(text) as Partial<ControlSettings>) };
}
