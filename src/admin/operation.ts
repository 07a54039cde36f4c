import type { z } from "zod";
import type { Lookup } from "#access/condition-keys.ts";
import type { Principal } from "#access/principal.ts";
import type { Caller } from "#admin/caller.ts";
import type { Asked, Judge } from "#admin/judge.ts";
import type { Clock } from "#base/clock.ts";
import type { StorageError } from "#base/error.ts";
import type { Catalog } from "#catalog/catalog.ts";
import type { Identities } from "#catalog/identities.ts";
import type { Federation } from "#federation/federation.ts";
import type { Recounts } from "#job/recounts.ts";
import type { Scrubs } from "#job/scrubs.ts";
import type { Bucket, VolumeSettings } from "#object/bucket.ts";
import type { Engine } from "#object/engine.ts";
import type { Usage, ZoneUsage } from "#object/usage.ts";

/** What operations stand on, whoever calls. */
export interface Foundation extends Identities {
  readonly catalog: Catalog;
  readonly clock: Clock;
  /** What the operator speaks of when no other is named, and the root key belongs to. */
  readonly firstOrganizationId: string;
  readonly rootAccessKeyId: string;
  readonly usageOf: (bucket: Bucket) => Promise<Usage>;
  readonly zonesOf: (organizationId: string) => Promise<readonly ZoneUsage[]>;
  readonly recounts: Recounts;
  readonly scrubs: Scrubs;
  readonly engineOf: (bucket: Bucket) => Engine;
  /** How long a day of a lifecycle rule lasts. */
  readonly lifecycleDayMs: number;
  readonly federation: Federation;
  readonly volumes: VolumeDirectories;
  /** Of what names none. */
  readonly region: string;
}

/** What must be known of directories that are served as buckets. */
interface VolumeDirectories {
  /** The directory behind a path. Fails: InvalidArgument. */
  readonly directory: (path: string) => Promise<string>;
  /** Fails: FailedPrecondition when something else of the server has the directory. */
  readonly requireFree: (directory: string) => Promise<void>;
  /** Fails: InvalidArgument when it cannot be a volume. */
  readonly try: (settings: VolumeSettings) => Promise<void>;
  /** undefined when it is not known. */
  readonly usedBytes: (bucket: Bucket) => Promise<number | undefined>;
}

/** What an operation may touch. Whatever is not here, it cannot reach. */
export interface Services extends Foundation {
  readonly judge: Judge;
  readonly caller: Caller;
  /** The organization that the call is about: the caller's own, or the one the operator names. */
  readonly organizationId: string;
  readonly request: RequestView;
}

/** What an operation may know of its request besides the input. */
export interface RequestView {
  /** The header, as it was sent. */
  readonly authorization: string | undefined;
  /** The whole body. */
  readonly text: string;
  /** What it gives for condition keys. */
  readonly lookup: Lookup;
  /** To be told who asks, by an operation that finds it out itself: for the log and the audit. */
  readonly identified: (principal: Principal) => void;
  /** To be told of what cannot be read, by an operation that goes on all the same. */
  readonly damaged: (damage: StorageError) => void;
  /** Does what ends the audit of an organization, of which its last record tells before, as being about `identifier`. */
  readonly silencing: <T>(
    about: { readonly organizationId: string; readonly identifier: string },
    change: () => Promise<T>,
  ) => Promise<T>;
}

/** Something a caller must be allowed. */
export type Grant = Pick<Asked, "action" | "resource">;
type Grants<Input> = (input: Input) => readonly [Grant, ...Grant[]];

/**
 * Who may ask. "nothing": anybody, the operation finds out itself who asks; "token": whoever has a
 * valid token; "operator": the operator alone; an action of the control plane, or what a function of
 * the input names: whom the policies allow it. The operator may do everything.
 */
type Needs<Input> = "nothing" | "token" | "operator" | `cwobject:${string}` | Grants<Input>;

/** One operation of the control API. The pipeline in handle.ts runs it. */
export interface OperationSpec<Input extends z.ZodType, Output extends z.ZodType> {
  /** Also its name in logs, metrics and audit records. */
  readonly name: string;
  /** One line for whoever reads the reference. */
  readonly summary: string;
  readonly method: "GET" | "POST" | "PUT" | "DELETE";
  /** What stands in braces is a field of the input. */
  readonly path: `/v1/${string}`;
  readonly needs: Needs<z.output<Input>>;
  /** Of the path, the query and the body together. */
  readonly input: Input;
  /** As it goes out. */
  readonly output: Output;
  readonly run: (
    services: Services,
    input: NoInfer<z.output<Input>>,
  ) => Promise<NoInfer<z.input<Output>>>;
}

/** A specification with its types closed over, so that all operations fit one table. */
export interface Operation
  extends Pick<
    OperationSpec<z.ZodType, z.ZodType>,
    "name" | "summary" | "method" | "path" | "input" | "output"
  > {
  /** "grants": they follow from the input. */
  readonly needs: Exclude<Needs<never>, Grants<never>> | "grants";
  readonly call: (input: unknown) => Call;
}

interface Call {
  /** What follows from the input that the caller must be allowed. */
  readonly grants: readonly Grant[];
  readonly run: (services: Services) => Promise<unknown>;
}

export function operation<Input extends z.ZodType, Output extends z.ZodType>(
  spec: OperationSpec<Input, Output>,
): Operation {
  const { needs, run, ...shown } = spec;
  const follows = typeof needs === "function" ? needs : undefined;
  return {
    ...shown,
    needs: typeof needs === "function" ? "grants" : needs,
    call: (parsed) => {
      // handle.ts gives what `input` has read.
      const input = parsed as z.output<Input>;
      return {
        grants: follows?.(input) ?? [],
        run: async (services) => await run(services, input),
      };
    },
  };
}
