import { readableBytes } from "#base/readable.ts";
import type { Json } from "#cli/api.ts";
import type { Command } from "#cli/command.ts";
import { field, pairs, table, textOf, timeOf } from "#cli/layout.ts";
import { bytes, whole } from "#cli/quantity.ts";

const VOLUMES = "/v1/lode/volume";
const ID = [{ name: "ID" }] as const;

export const volumeCommands: readonly Command[] = [
  {
    name: "volume list",
    summary: "directories that are served as buckets",
    run: async (_, { api }) => {
      const volumes = await Array.fromAsync(api.list(VOLUMES, "volumes"));
      return { json: volumes, text: table(volumes, COLUMNS) };
    },
  },
  {
    name: "volume get",
    summary: "one volume",
    arguments: ID,
    run: async (given, { api }) => {
      const json = await api.call({ path: pathOf(given.argument("ID")) });
      return { json, text: shown(json) };
    },
  },
  {
    name: "volume create",
    summary: "serve a directory of the server as a bucket; its files stay as they are",
    options: {
      path: { value: "DIR", summary: "the directory, as the server sees it" },
      id: { value: "ID", summary: "the bucket's name; made when absent" },
      name: { value: "NAME", summary: "for people" },
      size: {
        value: "SIZE",
        summary: "what it may hold, as 1TiB; what the disk holds when absent",
      },
      location: { value: "REGION", summary: "its data centre" },
      uid: { value: "N", summary: "of files that S3 makes; the server's own when absent" },
      gid: { value: "N", summary: "likewise" },
      umask: { value: "MODE", summary: "022 when absent" },
    },
    more: "For example: lode volume create --id vol0000001 --path /mnt/shared --size 1TiB",
    run: async (given, { api }) => {
      const body = {
        path: given.requiredText("path"),
        volumeId: given.text("id"),
        name: given.text("name"),
        location: given.text("location"),
        sizeBytes: sizeOf(given.text("size")),
        uid: whole("uid", given.text("uid")),
        gid: whole("gid", given.text("gid")),
        umask: given.text("umask"),
      };
      const json = await api.call({ method: "POST", path: VOLUMES, body });
      return { json, text: shown(json) };
    },
  },
  {
    name: "volume resize",
    summary: "say how much a volume may hold",
    arguments: ID,
    options: { size: { value: "SIZE", summary: "as 2TiB; none: what the disk holds" } },
    run: async (given, { api }) => {
      const path = `${pathOf(given.argument("ID"))}/size`;
      const body = { sizeBytes: sizeOf(given.requiredText("size")) };
      const json = await api.call({ method: "PUT", path, body });
      return { json, text: shown(json) };
    },
  },
  {
    name: "volume remove",
    summary: "serve a directory no longer; its files stay as they are",
    arguments: ID,
    run: async (given, { api }) => {
      const id = given.argument("ID");
      const json = await api.call({ method: "DELETE", path: pathOf(id) });
      return { json, text: `The volume "${id}" is served no longer; its files are untouched.` };
    },
  },
];

const COLUMNS = [
  field("volumeId", "id"),
  field("name"),
  field("path"),
  { title: "size", of: ({ sizeBytes }: Json) => readable(sizeBytes) },
  { title: "used", of: ({ usedBytes }: Json) => readable(usedBytes) },
];

function shown(volume: Json): string {
  return pairs([
    ["id", textOf(volume["volumeId"])],
    ["name", textOf(volume["name"])],
    ["path", textOf(volume["path"])],
    ["location", textOf(volume["location"])],
    ["size", readable(volume["sizeBytes"])],
    ["used", readable(volume["usedBytes"])],
    ["umask", textOf(volume["umask"])],
    ["created", timeOf(volume["creationTime"])],
  ]);
}

function readable(bytes: unknown): string {
  return bytes === undefined ? "-" : readableBytes(Number(bytes));
}

function sizeOf(text: string | undefined): string | undefined {
  return text === undefined || text === "none" ? undefined : String(bytes("size", text));
}

function pathOf(id: string): string {
  return `${VOLUMES}/${encodeURIComponent(id)}`;
}
