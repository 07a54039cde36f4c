import type { Json } from "#cli/api.ts";
import type { Command } from "#cli/command.ts";
import { field, pairs, table, textOf, timeOf } from "#cli/layout.ts";
import { seconds } from "#cli/quantity.ts";

const TOKENS = "/v1/lode/api-token";

export const tokenCommands: readonly Command[] = [
  {
    name: "token list",
    summary: "API tokens of the organization's users",
    options: { user: { value: "UID", summary: "only this user's" } },
    run: async (given, { api }) => {
      const uid = given.text("user");
      const tokens = await Array.fromAsync(api.list(TOKENS, "tokens", { uid }));
      return { json: tokens, text: table(tokens, COLUMNS) };
    },
  },
  {
    name: "token create",
    summary: "make an API token for a user; it is shown this once",
    options: {
      user: { value: "UID", summary: "whom it stands for" },
      name: { value: "NAME", summary: "for people" },
      ttl: { value: "TIME", summary: "as 30d, at most 366d; permanent when absent" },
    },
    more: "For example: lode token create --user ada --name laptop --ttl 30d",
    run: async (given, { api }) => {
      const body = {
        uid: given.requiredText("user"),
        name: given.text("name"),
        durationSeconds: seconds("ttl", given.text("ttl") ?? "permanent"),
      };
      const json = await api.call({ method: "POST", path: TOKENS, body });
      const text = pairs([
        ["id", textOf(json["id"])],
        ["user", textOf(json["uid"])],
        ["token", textOf(json["token"])],
        ["expires", timeOf(json["expiry"])],
      ]);
      return { json, text: `${text}\nThe token is shown this once.` };
    },
  },
  {
    name: "token revoke",
    summary: "end an API token for good",
    arguments: [{ name: "ID" }],
    run: async (given, { api }) => {
      const id = given.argument("ID");
      const path = `${TOKENS}/${encodeURIComponent(id)}`;
      const json = await api.call({ method: "DELETE", path });
      return { json, text: `The token ${id} works no more.` };
    },
  },
];

const COLUMNS = [
  field("id"),
  field("uid", "user"),
  field("name"),
  { title: "expires", of: (row: Json) => timeOf(row["expiry"]) },
];
