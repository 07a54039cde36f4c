/**
 * An issuer of OIDC tokens on this machine, whose answers a test may spoil.
 *
 *     const issuer = await startIssuer(t);
 *     const token = await issuer.token({ sub: "repo:octo/app:ref:refs/heads/main" });
 *     await issuer.rotate();                          // another key, published in place of the first
 *     issuer.answer = (path, reply) => reply.end("{}");
 */
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { TestContext } from "node:test";
import {
  type CryptoKey,
  exportJWK,
  generateKeyPair,
  type JWTHeaderParameters,
  type JWTPayload,
  SignJWT,
} from "jose";
import { START_MS } from "#test/support/server.ts";

export const AUDIENCE = "https://coreweave.com/iam";

export interface TestIssuer {
  readonly issuerUrl: string;
  /** Paths that were asked for. */
  readonly asked: string[];
  /** Answers in the issuer's place when set. */
  answer: ((path: string, reply: ServerResponse) => void) | undefined;
  /** What it publishes. */
  readonly jwks: () => { readonly keys: readonly object[] };
  /** Signed by its key, good for ten minutes from `nowMs`; claims and header as given besides. */
  readonly token: (
    claims?: Readonly<Record<string, unknown>>,
    more?: { readonly nowMs?: number; readonly header?: Partial<JWTHeaderParameters> },
  ) => Promise<string>;
  /** Makes a key with a kid of its own and publishes it, alone. */
  readonly rotate: (algorithm?: "RS256" | "ES256" | "EdDSA" | "PS512") => Promise<void>;
}

interface SigningKey {
  readonly kid: string;
  readonly algorithm: string;
  readonly privateKey: CryptoKey;
  readonly jwk: object;
}

export async function startIssuer(t: TestContext): Promise<TestIssuer> {
  let made = 0;
  const newKey = async (algorithm: string): Promise<SigningKey> => {
    const { publicKey, privateKey } = await generateKeyPair(algorithm, { extractable: true });
    made += 1;
    const kid = `key-${made}`;
    const jwk = { ...(await exportJWK(publicKey)), kid, alg: algorithm, use: "sig" };
    return { kid, algorithm, privateKey, jwk };
  };
  let key = await newKey("ES256");
  const server = createServer((request, reply) => {
    const path = request.url ?? "";
    issuer.asked.push(path);
    if (issuer.answer !== undefined) issuer.answer(path, reply);
    else if (path === "/.well-known/openid-configuration") {
      reply.end(JSON.stringify({ issuer: issuer.issuerUrl, jwks_uri: `${issuer.issuerUrl}/keys` }));
    } else if (path === "/keys") reply.end(JSON.stringify(issuer.jwks()));
    else reply.writeHead(404).end();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const issuer: TestIssuer = {
    issuerUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked: [],
    answer: undefined,
    jwks: () => ({ keys: [key.jwk] }),
    token: async (claims = {}, { nowMs = START_MS, header = {} } = {}) => {
      const nowSeconds = Math.floor(nowMs / 1_000);
      const payload = {
        ...{ iss: issuer.issuerUrl, aud: AUDIENCE, sub: "workload" },
        ...{ iat: nowSeconds, nbf: nowSeconds, exp: nowSeconds + 600 },
        ...claims,
      };
      const { kid, algorithm, privateKey } = key;
      const signer = new SignJWT(payload as JWTPayload).setProtectedHeader({
        alg: algorithm,
        kid,
        ...header,
      });
      return await signer.sign(privateKey);
    },
    rotate: async (algorithm = "ES256") => {
      key = await newKey(algorithm);
    },
  };
  return issuer;
}
