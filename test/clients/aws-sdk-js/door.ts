import { once } from "node:events";
import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from "node:http";
import { Agent as HttpsAgent, request as httpsRequest } from "node:https";
import type { LookupFunction } from "node:net";
import { buffer } from "node:stream/consumers";
import type { TestContext } from "node:test";
import { CreateBucketCommand, S3Client } from "@aws-sdk/client-s3";
import { type Certificate, TLS_BASE_DOMAIN } from "#test/clients/certificate.ts";
import { type RealServer, startRealServer } from "#test/support/real-server.ts";

/** One way to reach one server: a scheme and an addressing style. */
export interface Door {
  readonly scheme: "http" | "https";
  readonly addressing: "path" | "virtual";
  readonly s3: S3Client;
  /** Exists, and belongs to this door. */
  readonly bucket: string;
  /** Sends a request with nothing added, as a browser would with a presigned URL. */
  readonly send: (url: string, request?: PlainRequest) => Promise<PlainAnswer>;
}

interface PlainRequest {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Buffer;
}

interface PlainAnswer {
  readonly status: number;
  readonly body: Buffer;
}

/** Two doors, one for each addressing style, to a server of two workers that ends with the test. */
export async function openDoors(
  t: TestContext,
  certificate: Certificate | undefined,
): Promise<readonly Door[]> {
  const server = await startRealServer(t, {
    workers: 2,
    ...(certificate === undefined
      ? {}
      : {
          tls: certificate,
          flags: ["--base-domain", TLS_BASE_DOMAIN],
        }),
  });
  const doors = (["path", "virtual"] as const).map((addressing) =>
    openDoor(server, addressing, certificate),
  );
  for (const { s3, bucket } of doors) {
    t.after(() => s3.destroy());
    await s3.send(new CreateBucketCommand({ Bucket: bucket }));
  }
  return doors;
}

function openDoor(
  server: RealServer,
  addressing: Door["addressing"],
  certificate: Certificate | undefined,
): Door {
  const { port } = new URL(server.endpoint);
  const scheme = certificate === undefined ? "http" : "https";
  const base = scheme === "http" ? "localhost" : TLS_BASE_DOMAIN;
  const httpAgent = new HttpAgent({ keepAlive: true, lookup: loopback });
  const httpsAgent = new HttpsAgent({
    keepAlive: true,
    lookup: loopback,
    ...(certificate === undefined ? {} : { ca: certificate.authority }),
  });
  const s3 = new S3Client({
    endpoint: addressing === "path" ? server.endpoint : `${scheme}://${base}:${port}`,
    region: "us-east-1",
    credentials: { accessKeyId: server.accessKeyId, secretAccessKey: server.secret },
    forcePathStyle: addressing === "path",
    requestHandler: { httpAgent, httpsAgent },
    // A retry would hide an answer of 500 or 503.
    maxAttempts: 1,
  });
  return {
    scheme,
    addressing,
    s3,
    bucket: `sdk-js-${scheme}-${addressing}`,
    send: async (url, { method = "GET", headers = {}, body } = {}) => {
      // Cut by hand: the URL class would resolve a `..` that is part of a key.
      const [, host = "", path = ""] = /^https?:\/\/([^:/]+)[^/]*(.*)$/.exec(url) ?? [];
      const target = { method, headers, host, port, path };
      const request =
        scheme === "http"
          ? httpRequest({ ...target, agent: httpAgent })
          : httpsRequest({ ...target, agent: httpsAgent });
      request.end(body);
      const [answer]: IncomingMessage[] = await once(request, "response");
      if (answer === undefined) throw new Error("no answer");
      return { status: answer.statusCode ?? 0, body: await buffer(answer) };
    },
  };
}

/** Every name is this machine: `*.localhost` is not known to the resolver of a plain Debian. */
const loopback: LookupFunction = (_name, options, answer) => {
  const address = { address: "127.0.0.1", family: 4 };
  if (options.all === true) answer(null, [address]);
  else answer(null, address.address, address.family);
};
