import { z } from "zod";
import { empty, message, text, timestamp, timestampOf } from "#admin/message.ts";
import { type Operation, operation, type RequestView, type Services } from "#admin/operation.ts";
import { nextPageToken, pageFields, pageOf, rowsSource } from "#admin/page.ts";
import { ControlError } from "#base/control-error.ts";
import { ADMINISTRATOR_UID } from "#catalog/first-start.ts";
import type { DamagedRow, Row } from "#catalog/table.ts";
import type { User } from "#catalog/users.ts";

const userView = z.object({
  uid: text,
  principalName: text.describe("as policies name the user"),
  name: text,
  groups: z.array(text),
  creationTime: timestamp,
});

const createUser = operation({
  name: "CreateUser",
  summary: "Make a user: a person or a program. The uid is made when none is given.",
  method: "POST",
  path: "/v1/lode/user",
  needs: "cwobject:CreateUser",
  input: message({
    uid: text.optional(),
    name: text.optional(),
    groups: z.array(text).default([]),
  }),
  output: userView,
  run: async ({ users, organizationId }, { uid, name = uid ?? "", groups }) => {
    const made = await users.create(organizationId, { uid, name, groups });
    return await read({ users, organizationId }, made);
  },
});

const listUsers = operation({
  name: "ListUsers",
  summary: "List the users of the organization.",
  method: "GET",
  path: "/v1/lode/user",
  needs: "cwobject:ListUsers",
  input: message({ ...pageFields, group: text.optional() }),
  output: z.object({ users: z.array(userView), nextPageToken }),
  run: async ({ users, clock, organizationId, request }, { group, ...wanted }) => {
    const source = rowsSource(async (ask) => await users.list(organizationId, ask));
    const keep = isOf(group);
    const { items, nextPageToken } = await pageOf(source, { ...wanted, keep }, clock);
    return { users: items.map((row) => listed(row, request)), nextPageToken };
  },
});

const getUser = operation({
  name: "GetUser",
  summary: "Tell about a user.",
  method: "GET",
  path: "/v1/lode/user/{uid}",
  needs: "cwobject:ListUsers",
  input: message({ uid: text }),
  output: userView,
  run: async (services, { uid }) => await read(services, uid),
});

const updateUser = operation({
  name: "UpdateUser",
  summary: "Change a user's name or groups; what is left out stays as it is.",
  method: "PUT",
  path: "/v1/lode/user/{uid}",
  needs: "cwobject:UpdateUser",
  input: message({ uid: text, name: text.optional(), groups: z.array(text).optional() }),
  output: userView,
  run: async (services, { uid, ...change }) => {
    const { users, organizationId } = services;
    await users.update({ organizationId, uid }, change);
    return await read(services, uid);
  },
});

const deleteUser = operation({
  name: "DeleteUser",
  summary: "Delete a user. Their keys and tokens end at once.",
  method: "DELETE",
  path: "/v1/lode/user/{uid}",
  needs: "cwobject:DeleteUser",
  input: message({ uid: text }),
  output: empty,
  run: async ({ users, keys, organizationId, firstOrganizationId }, { uid }) => {
    if (organizationId === firstOrganizationId && uid === ADMINISTRATOR_UID) {
      const message = `the root key stands for "${uid}", who cannot be deleted`;
      throw new ControlError("FailedPrecondition", message);
    }
    await users.remove({ organizationId, uid });
    // They work no more already; but lists should not show them for ever.
    await keys.revokeOf(organizationId, `coreweave/${uid}`);
    return {};
  },
});

export const user: readonly Operation[] = [createUser, deleteUser, getUser, listUsers, updateUser];

type Listed = Row<User> | DamagedRow;

function isOf(group: string | undefined) {
  if (group === undefined) return undefined;
  return (row: Listed) => "value" in row && row.value.groups.includes(group);
}

async function read(
  { users, organizationId }: Pick<Services, "users" | "organizationId">,
  uid: string,
) {
  return shown(await users.get({ organizationId, uid }));
}

/** One whose record cannot be read has no more than its id. */
function listed(row: Listed, { damaged }: RequestView) {
  if (!("damage" in row)) return shown(row);
  damaged(row.damage);
  return shown({ id: row.id, value: { name: "", groups: [], createdMs: 0 } });
}

type Shown = Pick<User, "name" | "groups" | "createdMs">;

function shown({ id, value }: { readonly id: string; readonly value: Shown }) {
  const { name, groups, createdMs } = value;
  return {
    ...{ uid: id, principalName: `coreweave/${id}`, name },
    groups: [...groups],
    creationTime: timestampOf(createdMs),
  };
}
