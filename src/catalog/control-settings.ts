/**
 * What the control API sets of a bucket; the names are CoreWeave's. Stored as the bucket's document
 * "settings", as JSON.
 */
export interface ControlSettings {
  readonly auditLoggingEnabled: boolean;
  /** What the bucket may hold; undefined: as much as its organization may. */
  readonly capacityCapBytes: number | undefined;
}

export const DEFAULT_CONTROL_SETTINGS: ControlSettings = {
  auditLoggingEnabled: false,
  capacityCapBytes: undefined,
};

export function readControlSettings(text: string | undefined): ControlSettings {
  if (text === undefined) return DEFAULT_CONTROL_SETTINGS;
  return { ...DEFAULT_CONTROL_SETTINGS, ...(JSON.parse(text) as Partial<ControlSettings>) };
}
