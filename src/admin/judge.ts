import type { Lookup } from "#access/condition-keys.ts";
import { type BucketAccess, type Decision, decide } from "#access/decide.ts";
import type { Principal } from "#access/principal.ts";
import type { AccessPolicies } from "#catalog/access-policies.ts";
import type { Catalog } from "#catalog/catalog.ts";
import type { Bucket } from "#object/bucket.ts";
import { bucketName } from "#object/name.ts";

export interface Asked {
  readonly principal: Principal;
  readonly action: string;
  /** `*`, `bucket` or `bucket/key`. */
  readonly resource: string;
  /** What conditions may look at. */
  readonly lookup: Lookup;
}

/** Decides as the S3 front does, from the same policies. */
export class Judge {
  readonly #policies: AccessPolicies;
  readonly #catalog: Catalog;

  constructor(parts: { readonly policies: AccessPolicies; readonly catalog: Catalog }) {
    this.#policies = parts.policies;
    this.#catalog = parts.catalog;
  }

  /** Fails: S3Error "InvalidBucketName" for a resource that no bucket can be. */
  async decide(asked: Asked): Promise<Decision> {
    const { principal, resource } = asked;
    const { organizationId } = principal;
    const organization =
      organizationId === undefined ? undefined : await this.#policies.rules(organizationId);
    const name = resource.split("/", 1)[0] ?? "";
    const found = name === "*" ? undefined : await this.#catalog.find(bucketName(name));
    const bucket = found && (await this.#accessTo(found));
    return decide({ ...asked, organization, bucket });
  }

  async #accessTo(bucket: Bucket): Promise<BucketAccess> {
    const { policy, restrictPublic } = await this.#catalog.settings(bucket);
    const owner = await this.#policies.rules(bucket.organizationId);
    return { ownerId: bucket.organizationId, owner, policy, restrictPublic };
  }
}
