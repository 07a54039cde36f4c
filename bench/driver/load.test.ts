import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type RequestListener } from "node:http";
import { test } from "node:test";
import type { Job, LoadResult } from "./job.ts";
import { Load } from "./load.ts";

const JOB: Omit<Job, "endpoint"> = {
  kind: "get",
  bucket: "b",
  prefix: "k/",
  first: 0,
  count: 10,
  sizeBytes: 3,
  connections: 2,
};

/** Runs one round against a server that lives as long. */
async function against(listener: RequestListener, job: Partial<Job>): Promise<LoadResult> {
  const server = createServer(listener).listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  assert.ok(address !== null && typeof address !== "string");
  const endpoint = {
    ...{ host: "127.0.0.1", port: address.port },
    ...{ accessKeyId: "a", secretAccessKey: "s", region: "r" },
  };
  const load = new Load({ ...JOB, ...job, endpoint });
  await load.open();
  const result = await load.run();
  server.close();
  await once(server, "close");
  return result;
}

test("without a time each key is used exactly once", async () => {
  const seen: string[] = [];
  const result = await against((request, response) => {
    seen.push(request.url ?? "");
    response.end("abc");
  }, {});
  assert.equal(result.ops, 10);
  assert.equal(result.bytes, 30);
  assert.equal(result.errors, 0);
  assert.equal(new Set(seen).size, 10);
});

test("with a time the keys repeat until it is over", async () => {
  const { ops, seconds } = await against((_, response) => response.end("abc"), { seconds: 0.1 });
  assert.ok(ops > 10);
  assert.ok(seconds >= 0.1);
});

test("a put sends the whole body", async () => {
  const lengths: number[] = [];
  const sizeBytes = 100_000;
  const { errors } = await against(
    (request, response) => {
      let length = 0;
      request.on("data", (chunk: Buffer) => {
        length += chunk.length;
      });
      request.on("end", () => {
        lengths.push(length);
        response.end();
      });
    },
    { kind: "put", sizeBytes },
  );
  assert.equal(errors, 0);
  assert.deepEqual(new Set(lengths), new Set([sizeBytes]));
});

test("an error answer and a body of the wrong length are counted with a sample", async () => {
  const refused = await against((_, response) => response.writeHead(503).end("SlowDown"), {});
  assert.equal(refused.errors, 10);
  assert.match(refused.errorSample ?? "", /503 SlowDown/);
  const short = await against((_, response) => response.end("ab"), {});
  assert.equal(short.errors, 10);
  assert.match(short.errorSample ?? "", /2 bytes instead of 3/);
});

test("a server may close connections after good answers", async () => {
  const { ops, errors } = await against((_, response) => {
    response.setHeader("connection", "close").end("abc");
  }, {});
  assert.deepEqual({ ops, errors }, { ops: 10, errors: 0 });
});

test("a rename goes there and back on names of its own connection", async () => {
  const seen: string[] = [];
  await against(
    (request, response) => {
      seen.push(`${request.headers["x-amz-rename-source"]} ${request.url}`);
      response.end();
    },
    { kind: "rename", connections: 1, count: 1, opsMax: 3 },
  );
  const there = "/b/k/00000000 /b/k/00000000.to?renameObject=";
  const back = "/b/k/00000000.to /b/k/00000000?renameObject=";
  assert.deepEqual(seen, [there, back, there]);
});

test("scattered keys are all different, in no order, and lists begin at them", async () => {
  const seen: string[] = [];
  const keys = { kind: "list", scatterOver: 10, suffix: ".x", sizeBytes: 3 } as const;
  await against((request, response) => {
    seen.push(request.url ?? "");
    response.end("abc");
  }, keys);
  const starts = seen.map((url) => new URLSearchParams(url.split("?")[1]).get("start-after") ?? "");
  const sorted = [...starts].sort();
  assert.deepEqual(
    sorted,
    Array.from({ length: 10 }, (_, at) => `k/0000000${at}.x`),
  );
  assert.notDeepEqual(starts, sorted);
});

test("a page of a list that is shorter than it must be is a wrong answer", async () => {
  const { errors } = await against((_, response) => response.end("ab"), { kind: "list" });
  assert.equal(errors, 10);
});

test("over several buckets each is asked in turn", async () => {
  const seen = new Set<string>();
  await against(
    (request, response) => {
      seen.add(request.url?.split("/")[1] ?? "");
      response.end("abc");
    },
    { buckets: 3 },
  );
  assert.deepEqual([...seen].sort(), ["b-0", "b-1", "b-2"]);
});
