import type { Json } from "#cli/api.ts";
import type { Command } from "#cli/command.ts";
import { field, pairs, table, textOf, timeOf } from "#cli/layout.ts";

const USERS = "/v1/lode/user";
const CHANGED = {
  name: { value: "NAME", summary: "for people" },
  group: { value: "GROUP", summary: "all groups of the user, one by one", repeatable: true },
} as const;

export const userCommands: readonly Command[] = [
  {
    name: "user list",
    summary: "users of the organization",
    options: { group: { value: "GROUP", summary: "only of this group" } },
    run: async (given, { api }) => {
      const group = given.text("group");
      const users = await Array.fromAsync(api.list(USERS, "users", { group }));
      return { json: users, text: table(users, COLUMNS) };
    },
  },
  {
    name: "user create",
    summary: "make a user: a person or a program",
    arguments: [{ name: "UID", optional: true }],
    options: CHANGED,
    more: "For example: lode user create ada --name 'Ada Lovelace' --group research",
    run: async (given, { api }) => {
      const body = {
        uid: given.optionalArgument("UID"),
        name: given.text("name"),
        groups: given.texts("group"),
      };
      const json = await api.call({ method: "POST", path: USERS, body });
      return { json, text: shown(json) };
    },
  },
  {
    name: "user get",
    summary: "one user",
    arguments: [{ name: "UID" }],
    run: async (given, { api }) => {
      const json = await api.call({ path: pathOf(given.argument("UID")) });
      return { json, text: shown(json) };
    },
  },
  {
    name: "user update",
    summary: "change a user's name, or all their groups",
    arguments: [{ name: "UID" }],
    options: { ...CHANGED, "no-groups": { summary: "the user is in no group any more" } },
    run: async (given, { api }) => {
      const groups = given.is("no-groups") ? [] : given.texts("group");
      const body = { name: given.text("name"), groups };
      const json = await api.call({ method: "PUT", path: pathOf(given.argument("UID")), body });
      return { json, text: shown(json) };
    },
  },
  {
    name: "user delete",
    summary: "delete a user; their keys and tokens end at once",
    arguments: [{ name: "UID" }],
    run: async (given, { api }) => {
      const uid = given.argument("UID");
      const json = await api.call({ method: "DELETE", path: pathOf(uid) });
      return { json, text: `The user "${uid}" is deleted.` };
    },
  },
];

const COLUMNS = [
  field("uid"),
  field("name"),
  field("groups"),
  { title: "created", of: (row: Json) => timeOf(row["creationTime"]) },
];

function pathOf(uid: string): string {
  return `${USERS}/${encodeURIComponent(uid)}`;
}

function shown(user: Json): string {
  return pairs([
    ["uid", textOf(user["uid"])],
    ["principal", textOf(user["principalName"])],
    ["name", textOf(user["name"])],
    ["groups", textOf(user["groups"])],
    ["created", timeOf(user["creationTime"])],
  ]);
}
