export const KIB = 1024;
export const MIB = 1024 * KIB;
export const GIB = 1024 * MIB;

export interface Cell {
  readonly sizeBytes: number;
  readonly connections: number;
}

/** How much of everything a run does. */
export interface Scale {
  readonly rounds: number;
  readonly roundSeconds: number;
  readonly cells: readonly Cell[];
  readonly deletesMin: number;
  readonly deletesPerConnection: number;
  readonly batches: number;
  readonly listKeys: readonly number[];
  /** Keys with so many versions each. */
  readonly versions: readonly { readonly keys: number; readonly each: number }[];
  readonly sweepKeys: number;
  readonly volumeFiles: number;
  readonly multipartBytes: number;
  readonly completeParts: number;
  readonly renameBytes: number;
  readonly renameConnections: readonly number[];
  /** Objects of the bucket that is compared with one of `scaleKeys`. */
  readonly scaleKeysSmall: number;
  readonly scaleKeys: number;
  readonly versionsOfKey: number;
  readonly buckets: number;
  readonly commonPrefixes: number;
  readonly hostile: HostileScale;
  readonly starts: number;
  readonly targetRounds: number;
  readonly targetRoundSeconds: number;
  /** Connections at which 64 MiB bodies are compared with the bare loops. */
  readonly streamConnections: number;
  /** A run is refused when the disk has less room. */
  readonly freeBytesMin: number;
}

/** How long hostile clients are at it, and how many they are. */
export interface HostileScale {
  readonly seconds: number;
  /** Of each attack, at the most: descriptors may allow fewer. */
  readonly connectionsMax: number;
  readonly idleConnections: number;
  readonly keepAliveRequests: number;
}

/** Of a small object in a bucket of many, on the disk: rather too much. */
const OBJECT_BYTES = 2 * KIB;

interface ScaleOptions {
  readonly scaleKeys: number | undefined;
  readonly sweepKeys: number | undefined;
  readonly volumeFiles: number | undefined;
  readonly quick: boolean;
  readonly large: boolean;
  readonly secondsPerCell: number;
}

export function scaleOf({ quick, large, secondsPerCell, ...asked }: ScaleOptions): Scale {
  const scale = quick ? quickScale(secondsPerCell) : fullScale(secondsPerCell, large);
  const { sweepKeys = scale.sweepKeys, volumeFiles = scale.volumeFiles } = asked;
  const { scaleKeys = scale.scaleKeys } = asked;
  const scaleKeysSmall = Math.min(scale.scaleKeysSmall, scaleKeys);
  const freeBytesMin = Math.max(scale.freeBytesMin, scaleKeys * OBJECT_BYTES);
  return { ...scale, sweepKeys, volumeFiles, scaleKeys, scaleKeysSmall, freeBytesMin };
}

function fullScale(secondsPerCell: number, large: boolean): Scale {
  const cells = [KIB, 64 * KIB, MIB, 64 * MIB].flatMap((sizeBytes) =>
    [1, 16, 64].map((connections) => ({ sizeBytes, connections })),
  );
  return {
    rounds: 3,
    roundSeconds: secondsPerCell / 3,
    cells,
    deletesMin: 2000,
    deletesPerConnection: 300,
    batches: 10,
    listKeys: large ? [100_000, 1_000_000] : [100_000],
    versions: [
      { keys: 50_000, each: 2 },
      { keys: 1_000, each: 100 },
    ],
    sweepKeys: 100_000,
    volumeFiles: large ? 1_000_000 : 100_000,
    multipartBytes: GIB,
    completeParts: 10_000,
    renameBytes: 10 * GIB,
    renameConnections: [1, 16, 64],
    scaleKeysSmall: 100_000,
    scaleKeys: 1_000_000,
    versionsOfKey: 100_000,
    buckets: 1000,
    commonPrefixes: 100_000,
    hostile: {
      ...{ seconds: 20, connectionsMax: 2000 },
      ...{ idleConnections: 10_000, keepAliveRequests: 1_000_000 },
    },
    starts: 3,
    targetRounds: 5,
    targetRoundSeconds: 2,
    streamConnections: 16,
    freeBytesMin: 40 * GIB,
  };
}

function quickScale(secondsPerCell: number): Scale {
  return {
    rounds: 1,
    roundSeconds: secondsPerCell,
    cells: [
      { sizeBytes: KIB, connections: 1 },
      { sizeBytes: KIB, connections: 64 },
      { sizeBytes: 64 * KIB, connections: 16 },
      { sizeBytes: MIB, connections: 16 },
      { sizeBytes: 64 * MIB, connections: 1 },
    ],
    deletesMin: 500,
    deletesPerConnection: 50,
    batches: 2,
    listKeys: [10_000],
    versions: [{ keys: 500, each: 20 }],
    sweepKeys: 10_000,
    volumeFiles: 20_000,
    multipartBytes: 256 * MIB,
    completeParts: 1000,
    renameBytes: 10 * GIB,
    renameConnections: [16],
    scaleKeysSmall: 10_000,
    scaleKeys: 100_000,
    versionsOfKey: 5000,
    buckets: 200,
    commonPrefixes: 10_000,
    hostile: {
      ...{ seconds: 5, connectionsMax: 300 },
      ...{ idleConnections: 2000, keepAliveRequests: 20_000 },
    },
    starts: 1,
    targetRounds: 3,
    targetRoundSeconds: 0.7,
    streamConnections: 4,
    freeBytesMin: 10 * GIB,
  };
}

/** `1 KiB`, `64 MiB`. */
export function sizeText(bytes: number): string {
  if (bytes >= GIB) return `${bytes / GIB} GiB`;
  if (bytes >= MIB) return `${bytes / MIB} MiB`;
  return `${bytes / KIB} KiB`;
}
