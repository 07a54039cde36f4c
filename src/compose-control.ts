import { tokenDigest } from "#admin/caller.ts";
import { FailedAttempts } from "#admin/failed-attempts.ts";
import type { Control } from "#admin/handle.ts";
import { OPERATIONS } from "#admin/operations.ts";
import { router } from "#admin/route.ts";
import { Catalog } from "#catalog/catalog.ts";
import { openIdentities } from "#catalog/identities.ts";
import { JobOrders } from "#catalog/job-orders.ts";
import { JobPlace } from "#catalog/job-place.ts";
import type { Composition } from "#compose.ts";
import { Federation } from "#federation/federation.ts";
import { Recounts } from "#job/recounts.ts";
import { SCRUB, type ScrubSettings } from "#job/scrub-record.ts";
import { Scrubs } from "#job/scrubs.ts";
import type { OpenVolumes } from "#process/open-volumes.ts";
import { VolumeDesk } from "#process/volume-desk.ts";
import { VersionedEngine } from "#versioned/engine.ts";
import { UsageCounters } from "#versioned/usage-counters.ts";
import { VolumeEngine } from "#volume/engine.ts";

/** What the control API over some stores is made with. */
export interface ControlComposition
  extends Pick<
    Composition,
    "meta" | "blobs" | "clock" | "limits" | "keyring" | "lifecycleDayMs" | "report"
  > {
  readonly operatorToken: string;
  /** What the operator speaks of when no other is named. */
  readonly firstOrganizationId: string;
  readonly rootAccessKeyId: string;
  readonly region: string;
  readonly volumes: OpenVolumes;
  /** Where the server keeps its own; undefined: nowhere. */
  readonly dataDirectory: string | undefined;
  readonly scrub: ScrubSettings;
  /** Ends what goes on beside calls. */
  readonly signal?: AbortSignal | undefined;
  readonly silence: Control["silence"];
}

/** So many zones of one organization are told of. */
const ZONES_MAX = 1_000;

/** Puts the parts of the control API together. */
export function composeControl(composition: ControlComposition): Control {
  const { meta, clock, lifecycleDayMs, report, signal, volumes, dataDirectory } = composition;
  const volumeEngine = new VolumeEngine(volumes.of);
  const engine = new VersionedEngine(composition);
  const identities = openIdentities(composition);
  const catalog = new Catalog(meta, clock);
  const counters = new UsageCounters(meta);
  return {
    ...identities,
    federation: new Federation({ ...identities, clock }),
    catalog,
    clock,
    engineOf: ({ volume }) => (volume === undefined ? engine : volumeEngine),
    volumes: new VolumeDesk({ catalog, volumes, dataDirectory }),
    region: composition.region,
    usageOf: async (bucket) => await counters.bucket(bucket),
    zonesOf: async (organizationId) => await counters.zones(organizationId, ZONES_MAX),
    recounts: new Recounts({
      ...{ meta, catalog, clock, signal },
      report: (cause) => report(cause, "recount"),
    }),
    scrubs: new Scrubs({
      ...{ clock, ...composition.scrub },
      place: new JobPlace(meta, clock, SCRUB),
      orders: new JobOrders(meta, SCRUB),
    }),
    lifecycleDayMs,
    operatorDigest: tokenDigest(composition.operatorToken),
    firstOrganizationId: composition.firstOrganizationId,
    rootAccessKeyId: composition.rootAccessKeyId,
    attempts: new FailedAttempts(clock),
    route: router(OPERATIONS),
    report,
    silence: composition.silence,
  };
}
