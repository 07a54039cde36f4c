import type { Grant } from "#access/grant.ts";
import type { Principal } from "#access/principal.ts";
import type { HttpReply } from "#base/http.ts";
import { after, type Soon } from "#base/soon.ts";
import type { BucketSettings } from "#catalog/bucket-settings.ts";
import type { Catalog } from "#catalog/catalog.ts";
import type { Bucket } from "#object/bucket.ts";
import type { Engine } from "#object/engine.ts";
import type { BucketName } from "#object/name.ts";
import type { Room } from "#object/usage.ts";
import type { Authenticated } from "#s3/authenticate.ts";
import type { S3Request } from "#s3/request.ts";
import type { Route } from "#s3/route.ts";

/** What an operation may touch. Whatever is not here, it cannot reach. */
export interface Services {
  readonly catalog: Catalog;
  readonly principal: Principal;
  readonly region: string;
  /** Demands a LocationConstraint of CreateBucket. */
  readonly strictLocation: boolean;
  /** How long a day of a lifecycle rule lasts. */
  readonly lifecycleDayMs: number;
  /** Confines the caller to a bucket; undefined for who has no key of their own. */
  readonly startSession: Authenticated["startSession"];
  /** Of a partial operation: whether the grant at this index was allowed. */
  readonly isAllowed: (grant: number) => boolean;
  /**
   * `as` "source": the bucket is what a copy is made from, of which the request speaks apart.
   * Fails: NoSuchBucket; AccessDenied when the bucket is not whose the request says it is.
   */
  readonly open: (bucket: BucketName, as?: "source") => Soon<OpenBucket>;
}

export interface OpenBucket {
  readonly bucket: Bucket;
  readonly settings: BucketSettings;
  readonly engine: Engine;
  /** How far a write to it may go; undefined: without end. */
  readonly room: Room | undefined;
}

/**
 * How a request's body is read. "document": whole, its digests checked, at most 2 MiB;
 * "object-document": the same, but checksum headers speak of an object, not of the document;
 * "stream": by the operation; "form": its fields at once, since they say who asks, and its file by the operation.
 */
type BodyKind = "none" | "document" | "object-document" | "stream" | "form";

/** One S3 API operation, from the wire to the wire. The pipeline in handle.ts runs the steps. */
export interface OperationSpec<Input, Output> {
  /** The name AWS gives it; also its name in metrics, logs, policies and tests. */
  readonly name: string;
  readonly route: Route;
  readonly body: BodyKind;
  /** Request to input. Pure; the only place that reads headers, query and XML. */
  readonly parse: (request: S3Request) => Input;
  /** Only grants that are all refused refuse the operation; of the others it is told. */
  readonly partial?: true;
  /** What the caller must be allowed to do. Pure, and never empty. */
  readonly grants: (input: Input) => readonly [Grant, ...Grant[]];
  readonly run: (services: Services, input: Input) => Soon<Output>;
  /** Output to reply. Pure; the only place that writes headers and XML. */
  readonly render: (output: Output, input: Input) => HttpReply;
}

/** A specification with its types closed over, so that all operations fit one table. */
export interface Operation {
  readonly name: string;
  readonly route: Route;
  readonly body: BodyKind;
  readonly partial: boolean;
  readonly prepare: (request: S3Request) => {
    readonly grants: readonly [Grant, ...Grant[]];
    readonly run: (services: Services) => Soon<HttpReply>;
  };
}

export function operation<Input, Output>(spec: OperationSpec<Input, Output>): Operation {
  return {
    name: spec.name,
    route: spec.route,
    body: spec.body,
    partial: spec.partial === true,
    prepare(request) {
      const input = spec.parse(request);
      return {
        grants: spec.grants(input),
        run: (services) => after(spec.run(services, input), (output) => spec.render(output, input)),
      };
    },
  };
}
