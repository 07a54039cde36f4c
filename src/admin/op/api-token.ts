import { z } from "zod";
import { empty, message, text, timestamp, timestampOf, uint32 } from "#admin/message.ts";
import { type Operation, operation, type RequestView } from "#admin/operation.ts";
import { nextPageToken, pageFields, pageOf, rowsSource } from "#admin/page.ts";
import type { ApiToken } from "#catalog/api-tokens.ts";
import type { DamagedRow } from "#catalog/table.ts";

const apiTokenView = z.object({
  id: text,
  uid: text,
  name: text,
  creationTime: timestamp,
  expiry: timestamp.optional(),
});

const createApiToken = operation({
  name: "CreateApiToken",
  summary: "Make a token of the control API for a user. It is shown this once.",
  method: "POST",
  path: "/v1/lode/api-token",
  needs: "cwobject:CreateApiToken",
  input: message({
    uid: text,
    name: text.default(""),
    durationSeconds: uint32.describe("0: it does not expire; at most 31622400, 366 days, else"),
  }),
  output: apiTokenView.extend({ token: text }),
  run: async ({ tokens, organizationId }, input) => {
    const made = await tokens.create(organizationId, input);
    return { ...shown(made), token: made.token };
  },
});

const listApiTokens = operation({
  name: "ListApiTokens",
  summary: "List the tokens of the organization's users, without what is secret of them.",
  method: "GET",
  path: "/v1/lode/api-token",
  needs: "cwobject:ListApiTokens",
  input: message({ ...pageFields, uid: text.optional() }),
  output: z.object({ tokens: z.array(apiTokenView), nextPageToken }),
  run: async ({ tokens, clock, organizationId, request }, { uid, ...wanted }) => {
    const source = rowsSource(async (ask) => await tokens.list(organizationId, ask));
    const keep = uid === undefined ? undefined : (row: Listed) => "uid" in row && row.uid === uid;
    const { items, nextPageToken } = await pageOf(source, { ...wanted, keep }, clock);
    return { tokens: items.map((row) => listed(row, request)), nextPageToken };
  },
});

const revokeApiToken = operation({
  name: "RevokeApiToken",
  summary: "End a token for good.",
  method: "DELETE",
  path: "/v1/lode/api-token/{id}",
  needs: "cwobject:RevokeApiToken",
  input: message({ id: text }),
  output: empty,
  run: async ({ tokens, organizationId }, { id }) => {
    await tokens.revoke(organizationId, id);
    return {};
  },
});

export const apiToken: readonly Operation[] = [createApiToken, listApiTokens, revokeApiToken];

type Listed = ApiToken | DamagedRow;

/** One whose record cannot be read has no more than its id. */
function listed(row: Listed, { damaged }: RequestView) {
  if (!("damage" in row)) return shown(row);
  damaged(row.damage);
  return shown({ id: row.id, uid: "", name: "", createdMs: 0, expiryMs: undefined });
}

function shown({ id, uid, name, createdMs, expiryMs }: Omit<ApiToken, "organizationId">) {
  const expiry = expiryMs === undefined ? undefined : timestampOf(expiryMs);
  return { id, uid, name, creationTime: timestampOf(createdMs), expiry };
}
