import { after, type Soon } from "#base/soon.ts";
import type { Credential } from "#catalog/access-keys.ts";
import type { AccessPolicies, Standing } from "#catalog/access-policies.ts";
import type { BucketSettings } from "#catalog/bucket-settings.ts";
import type { Catalog } from "#catalog/catalog.ts";
import type { Organizations } from "#catalog/organizations.ts";
import { SELDOM_KEY } from "#meta/seldom.ts";
import type { MetaStore } from "#meta/store.ts";
import type { Bucket } from "#object/bucket.ts";
import type { BucketName } from "#object/name.ts";

export interface FoundBucket {
  readonly bucket: Bucket;
  readonly settings: BucketSettings;
  /** Whether it, or its organization for all of its buckets, wants records of who did what. */
  readonly isAudited: boolean;
}

/** undefined when there is no such bucket. */
export type FindBucket = (name: BucketName) => Soon<FoundBucket | undefined>;

/** As policies and limits of an organization stand. */
export type FindStanding = (organizationId: string) => Soon<Standing>;

/** What a request is judged by. It sees each bucket, organization and key as it was first asked for. */
export interface Known {
  /** A stored access key; undefined when it may not sign. */
  readonly findKey: (accessKeyId: string) => Soon<Credential | undefined>;
  readonly findBucket: FindBucket;
  readonly findStanding: FindStanding;
}

export interface KnowledgeParts {
  readonly meta: Pick<MetaStore, "get">;
  readonly catalog: Catalog;
  readonly organizations: Pick<Organizations, "settings">;
  readonly policies: Pick<AccessPolicies, "standing">;
  readonly keys: { readonly find: (accessKeyId: string) => Promise<Credential | undefined> };
}

const FOUND_MAX = 20_000;

/**
 * What is known of keys, buckets and organizations, for all requests together: read once, and again when
 * any of it has changed, in whatever process. A request asks the store one small question instead of one
 * for each record (law 8 of MetaStore).
 */
export class Knowledge {
  readonly #parts: KnowledgeParts;
  #revision = -1;
  #memories = new Memories();
  #known: Known;

  constructor(parts: KnowledgeParts) {
    this.#parts = parts;
    this.#known = knownOf(parts, this.#memories);
  }

  /** To be asked for when a request begins, and kept to its end. */
  now(): Soon<Known> {
    return after(this.#parts.meta.get(SELDOM_KEY), (entry) => this.#at(entry?.revision ?? 0));
  }

  #at(revision: number): Known {
    if (revision !== this.#revision || this.#memories.count > FOUND_MAX) {
      this.#revision = revision;
      this.#memories = new Memories();
      this.#known = knownOf(this.#parts, this.#memories);
    }
    return this.#known;
  }
}

function knownOf(parts: KnowledgeParts, memories: Memories): Known {
  const { policies, keys } = parts;
  return {
    findKey: memories.of((accessKeyId) => keys.find(accessKeyId)),
    findBucket: memories.of((name: BucketName) => findBucket(parts, name)),
    findStanding: memories.of((organizationId) => policies.standing(organizationId)),
  };
}

async function findBucket(
  { catalog, organizations }: KnowledgeParts,
  name: BucketName,
): Promise<FoundBucket | undefined> {
  const bucket = await catalog.find(name);
  if (bucket === undefined) return undefined;
  const settings = await catalog.settings(bucket);
  const { bucketAuditLoggingEnabled } = await organizations.settings(bucket.organizationId);
  const isAudited = settings.control.auditLoggingEnabled || bucketAuditLoggingEnabled;
  return { bucket, settings, isAudited };
}

/** Answers that are remembered until all of them are forgotten together. */
class Memories {
  /** How many there are. */
  count = 0;

  of<K extends string, T>(read: (name: K) => Promise<T>): (name: K) => Soon<T> {
    const found = new Map<K, { readonly answer: Soon<T> }>();
    return (name) => {
      const before = found.get(name);
      if (before !== undefined) return before.answer;
      const answer = read(name);
      this.count += 1;
      found.set(name, { answer });
      answer.then(
        (known) => found.set(name, { answer: known }),
        // What failed is asked for again; who asked now hears of it.
        () => found.delete(name),
      );
      return answer;
    };
  }
}
