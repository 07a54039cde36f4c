/** Who asks. An access key, a token or an assertion stands for exactly one of these. */
export interface Principal {
  /**
   * `service`: a part of the system, or a partner's, which belongs to no organization of users and
   * for which no organization policy speaks; `anonymous`: the request was not signed.
   */
  readonly kind: "user" | "role" | "service" | "anonymous";
  /** Undefined for anonymous alone. */
  readonly organizationId: string | undefined;
  /** `coreweave/<uid>`, `role/<name>`, `role/<issuer>:<sub>`, `static/<name>`. */
  readonly name: string;
  /** Groups that the credentials carry; what `iam:<organization>:groups` speaks of. */
  readonly groups: readonly string[];
}

/** All that a statement can name somebody by. */
export type Named = Pick<Principal, "kind" | "organizationId" | "name">;

export const ANONYMOUS_PRINCIPAL: Principal = {
  kind: "anonymous",
  organizationId: undefined,
  name: "anonymous",
  groups: [],
};

/** The name as bucket policies write it; undefined for anonymous, whom only `*` names. */
export function principalArn({ kind, organizationId, name }: Principal): string | undefined {
  if (kind === "anonymous" || organizationId === undefined) return undefined;
  return `arn:aws:iam::${organizationId}:${name}`;
}

const USER = "coreweave/";

/** The `<uid>` of `coreweave/<uid>`; roles and services have none. */
export function userName({ kind, name }: Principal): string | undefined {
  return kind === "user" && name.startsWith(USER) ? name.slice(USER.length) : undefined;
}
