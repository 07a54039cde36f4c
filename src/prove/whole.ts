import { createHash } from "node:crypto";
import { randomBytes } from "#base/random.ts";
import { type Ask, type Client, etagOf, type Reply } from "#prove/client.ts";
import {
  fail,
  notOffered,
  type Outcome,
  type Promised,
  pass,
  required,
  told,
} from "#prove/promise.ts";
import { sha256 } from "#prove/sign.ts";

const BODY_BYTES = 512 * 2 ** 10;
const OVERWRITES = 40;
const READERS = 4;
const CUTS = 5;
/** How long a server may take to notice that a connection is gone. */
const NOTICE_MS = 500;

/**
 * Spec: https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity.html
 */
export const WHOLE: readonly Promised[] = [
  ...[
    wrongSum("content-md5", { "content-md5": Buffer.alloc(16, 1).toString("base64") }),
    wrongSum("crc32", { "x-amz-checksum-crc32": "AAAAAA==" }),
    wrongSum("crc32c", { "x-amz-checksum-crc32c": "AAAAAA==" }),
    wrongSum("sha256", { "x-amz-checksum-sha256": Buffer.alloc(32, 1).toString("base64") }),
    wrongSum("signed-sha256", { payloadSha256: sha256("something else") }),
  ],
  {
    name: "cut-body",
    title: "a body that is cut leaves nothing, and what was there as it was",
    prove: cutBody,
  },
  {
    name: "overwrite-atomic",
    title: `under overwrites ${READERS} readers see one body or another, never a mixture`,
    prove: overwrites,
  },
];

function wrongSum(
  name: string,
  wrong: Readonly<Record<string, string>> & Pick<Ask, "payloadSha256">,
): Promised {
  const { payloadSha256, ...headers } = wrong;
  return {
    name: `wrong-${name}`,
    title: `a body that has not the ${name} it came with is refused, and leaves nothing`,
    prove: async (client) => {
      const key = `wrong-${name}/key`;
      const body = randomBytes(BODY_BYTES);
      const said = payloadSha256 === undefined ? {} : { payloadSha256 };
      const reply = await client.ask({ method: "PUT", key, body, headers, ...said });
      const after = await client.get(key);
      const evidence = `told ${told(reply)}; afterwards ${told(after)}`;
      if (reply.status === 501) return notOffered(evidence);
      const isRefused = (reply.status >= 400 && reply.status < 500) || reply.status === 0;
      return isRefused && after.status === 404 ? pass(evidence) : fail(evidence);
    },
  };
}

async function cutBody(client: Client): Promise<Outcome> {
  const body = randomBytes(BODY_BYTES);
  const before = Buffer.from("before");
  required(await client.put("cut-body/there", before), "PUT");
  const cut = { method: "PUT", body, cutAfterBytes: body.length / 2 } as const;
  for (let at = 0; at < CUTS; at += 1) {
    await client.ask({ ...cut, key: `cut-body/new-${at}` });
    await client.ask({ ...cut, key: "cut-body/there" });
  }
  await client.clock.sleep(NOTICE_MS);
  const listed = await client.list("cut-body/new-");
  const there = await client.get("cut-body/there");
  const isSame = there.body.equals(before);
  const evidence = `${2 * CUTS} bodies cut in the middle: ${listed.length} left an object, the one before is ${isSame ? "as it was" : "another"}`;
  return listed.length === 0 && isSame ? pass(evidence) : fail(evidence);
}

async function overwrites(client: Client): Promise<Outcome> {
  const key = "overwrite-atomic/key";
  const bodyOf = (at: number) => Buffer.alloc(BODY_BYTES, 65 + (at % 26));
  required(await client.put(key, bodyOf(0)), "PUT");
  const seen = { reads: 0, mixed: 0, tags: 0, broken: 0, bodies: new Set<number>() };
  let isOver = false;
  const look = (reply: Reply) => {
    seen.reads += 1;
    const { body } = reply;
    const first = body[0] ?? 0;
    if (reply.status !== 200) seen.broken += 1;
    else if (!body.equals(Buffer.alloc(BODY_BYTES, first))) seen.mixed += 1;
    else if (isOtherMd5(reply)) seen.tags += 1;
    else seen.bodies.add(first);
  };
  const reader = async () => {
    while (!isOver) look(await client.get(key));
  };
  const readers = Array.from({ length: READERS }, reader);
  try {
    for (let at = 1; at <= OVERWRITES; at += 1) required(await client.put(key, bodyOf(at)), "PUT");
  } finally {
    isOver = true;
    await Promise.all(readers);
  }
  const { reads, mixed, tags, broken, bodies } = seen;
  const evidence = `${reads} reads under ${OVERWRITES} overwrites saw ${bodies.size} bodies: ${mixed} mixed, ${tags} with the ETag of another, ${broken} not answered`;
  return mixed + tags + broken === 0 ? pass(evidence) : fail(evidence);
}

/** Where an ETag looks like an MD5 and is that of another body; encrypted objects have none. */
function isOtherMd5(reply: Reply): boolean {
  const [tag] = /^[0-9a-f]{32}$/.exec(etagOf(reply).replaceAll('"', "")) ?? [];
  if (tag === undefined || reply.headers["x-amz-server-side-encryption"] !== undefined)
    return false;
  return createHash("md5").update(reply.body).digest("hex") !== tag;
}
