/** Every operation that the AWS SDK for JavaScript knows is one that the server knows by its name. */
import assert from "node:assert/strict";
import { test } from "node:test";
import * as sdk from "@aws-sdk/client-s3";
import { OPERATIONS } from "#s3/operations.ts";
import { frame } from "#s3/request.ts";
import { router } from "#s3/route.ts";

interface SentRequest {
  readonly method: string;
  readonly path: string;
  readonly query: Readonly<Record<string, string | readonly string[] | null>>;
  readonly headers: Readonly<Record<string, string>>;
}

type Command = Parameters<sdk.S3Client["send"]>[0];
type MakeCommand = new (input: object) => Command;

/** Whatever part of a request any of them may ask for. */
const INPUT = {
  ...{ Bucket: "bucket", Key: "key", Body: "x", UploadId: "id", PartNumber: 1, Id: "id" },
  ...{ CopySource: "bucket/source", RenameSource: "bucket/source", AnnotationName: "name" },
  ...{ Delete: { Objects: [{ Key: "key" }] }, RequestRoute: "route", RequestToken: "token" },
  ...{ ObjectAttributes: ["ETag"], AnnotationPayload: "x" },
};
/** What else, or instead, some of them are given. */
const INPUTS: Readonly<Record<string, object>> = {
  ListDirectoryBuckets: { Bucket: undefined },
  SelectObjectContent: { Expression: "", ExpressionType: "SQL" },
};
const route = router(OPERATIONS);

const commands = Object.entries(sdk).flatMap(([name, value]) =>
  /^\w+Command$/.test(name) && typeof value === "function"
    ? [{ name: name.slice(0, -"Command".length), make: value as MakeCommand }]
    : [],
);

test("the SDK has commands to compare with", () => {
  assert.ok(commands.length >= 110);
});

for (const { name, make } of commands) {
  test(`${name} of the AWS SDK is routed to the operation of that name`, async () => {
    const { method, path, query, headers } = await sentBy(make, { ...INPUT, ...INPUTS[name] });
    const words = Object.entries(query).map(([word, value]) =>
      value === null || value === "" ? word : `${word}=${encodeURIComponent(String(value))}`,
    );
    const framed = frame(
      {
        method,
        target: words.length === 0 ? path : `${path}?${words.join("&")}`,
        rawHeaders: Object.entries(headers).flat(),
        ...{ remoteAddress: "", secure: false, body: (async function* none() {})() },
      },
      { baseDomains: [], pathStyle: true },
    );

    assert.equal(route(framed).name, name);
  });
}

/** What the SDK would send, without sending it. */
async function sentBy(make: MakeCommand, input: object): Promise<SentRequest> {
  let sent: SentRequest | undefined;
  const s3 = new sdk.S3Client({
    endpoint: "http://127.0.0.1:1",
    ...{ region: "us-east-1", forcePathStyle: true, maxAttempts: 1 },
    credentials: { accessKeyId: "key", secretAccessKey: "secret" },
    requestHandler: {
      handle: async (request: SentRequest) => {
        sent = request;
        throw new Error("not sent");
      },
    },
  });
  await assert.rejects(s3.send(new make(input)), { message: "not sent" });
  assert.ok(sent !== undefined);
  return sent;
}
