import type { Caller } from "#admin/caller.ts";
import type { Fields } from "#admin/input.ts";
import type { Operation } from "#admin/operation.ts";
import { ControlError } from "#base/control-error.ts";
import type { Organizations } from "#catalog/organizations.ts";

interface Asking {
  readonly operation: Operation;
  readonly caller: Caller;
  readonly control: {
    readonly organizations: Organizations;
    readonly firstOrganizationId: string;
  };
}

export interface About {
  /** Empty for an operation that asks for no token: that finds out itself. */
  readonly organizationId: string;
  /** What is left for the operation to read. */
  readonly rest: Fields;
}

const NAMES = ["orgId", "org_id"];

/**
 * Which organization a call is about: the caller's own; the operator names one with the field
 * `orgId`, or means the first. An operation of the operator alone has no such field but its own.
 *
 * Fails: PermissionDenied when another organization than the caller's is named; NotFound, InvalidArgument.
 */
export async function organizationOf(
  sent: Fields,
  { operation, caller, control }: Asking,
): Promise<About> {
  const { organizations, firstOrganizationId } = control;
  if (operation.needs === "nothing") return { organizationId: "", rest: sent };
  if (operation.needs === "operator") return { organizationId: firstOrganizationId, rest: sent };
  const given = NAMES.flatMap((name) => sent[name] ?? []);
  const rest = Object.fromEntries(Object.entries(sent).filter(([name]) => !NAMES.includes(name)));
  const [organizationId, ...more] = given;
  if (more.length > 0 || !["string", "undefined"].includes(typeof organizationId)) {
    throw new ControlError("InvalidArgument", "orgId: give one text");
  }
  const named = organizationId as string | undefined;
  if (caller.kind === "principal") {
    if (named === undefined || named === caller.organizationId) {
      return { organizationId: caller.organizationId, rest };
    }
    throw new ControlError("PermissionDenied", "the token is another organization's");
  }
  if (named === undefined) return { organizationId: firstOrganizationId, rest };
  await organizations.get(named);
  return { organizationId: named, rest };
}
