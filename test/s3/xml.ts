import assert from "node:assert/strict";
import type { Reply } from "#test/support/server.ts";

/** The texts of all elements called `name`, unescaped, in order; of a small XML without attributes. */
export function texts(xml: string, name: string): string[] {
  const found = xml.matchAll(new RegExp(`<${name}>([^<]*)</${name}>`, "g"));
  return [...found].map(([, text = ""]) => unescaped(text));
}

/** The text of the only element called `name`; undefined when there is none. */
export function only(xml: string, name: string): string | undefined {
  const found = texts(xml, name);
  assert.ok(found.length <= 1, `there is at most one ${name}`);
  return found[0];
}

/** The inner XML of all elements called `name`, which do not nest. */
export function inners(xml: string, name: string): string[] {
  return [...xml.matchAll(new RegExp(`<${name}>(.*?)</${name}>`, "gs"))].map(([, xml = ""]) => xml);
}

export function assertRefused(reply: Reply, status: number, code: string): void {
  assert.deepEqual({ status: reply.status, code: reply.code }, { status, code }, reply.text);
}

/** A document in S3's namespace, as the server writes it. */
export function s3Document(root: string, inner: string): string {
  return `<?xml version="1.0" encoding="UTF-8"?>\n<${root} xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${inner}</${root}>`;
}

const NAMED: Readonly<Record<string, string>> = {
  amp: "&",
  lt: "<",
  gt: ">",
  quot: '"',
  apos: "'",
};

function unescaped(text: string): string {
  return text.replace(/&(?:#(\d+)|(\w+));/g, (_, number?: string, name?: string) =>
    number === undefined ? (NAMED[name ?? ""] ?? "") : String.fromCodePoint(Number(number)),
  );
}
