import { timingSafeEqual } from "node:crypto";
import type { Principal } from "#access/principal.ts";
import { digestOf } from "#base/checksum.ts";
import { ControlError } from "#base/control-error.ts";
import type { ApiTokens } from "#catalog/api-tokens.ts";

/** Who calls the control API. */
export type Caller =
  /** Who runs the server: may do everything, for every organization. */
  | { readonly kind: "operator" }
  | { readonly kind: "principal"; readonly principal: Principal; readonly organizationId: string }
  /** Who has shown nothing yet. */
  | { readonly kind: "nobody" };

export interface KnownTokens {
  readonly tokens: ApiTokens;
  /** SHA-256 of the operator's token. */
  readonly operatorDigest: Uint8Array;
}

const BEARER = /^Bearer +(\S+)$/i;

/**
 * Of a token that is unknown, expired, revoked or misspelled it tells nothing but that.
 *
 * Fails: Unauthenticated.
 */
export async function callerOf(
  authorization: string | undefined,
  { tokens, operatorDigest }: KnownTokens,
): Promise<Caller> {
  const token = BEARER.exec(authorization ?? "")?.[1];
  if (token === undefined) {
    const message = 'a token is required: send "Authorization: Bearer <token>"';
    throw new ControlError("Unauthenticated", message);
  }
  const isOperator = timingSafeEqual(tokenDigest(token), operatorDigest);
  const principal = await tokens.principalOf(token);
  if (isOperator) return { kind: "operator" };
  if (principal?.organizationId === undefined) {
    throw new ControlError("Unauthenticated", "the token is not valid, or not any more");
  }
  return { kind: "principal", principal, organizationId: principal.organizationId };
}

export function tokenDigest(token: string): Uint8Array {
  return digestOf("SHA256", Buffer.from(token));
}

/** As logs name the caller. */
export function callerName(caller: Caller): string {
  if (caller.kind === "principal") return caller.principal.name;
  return caller.kind === "operator" ? "operator" : "-";
}
