/** Runs every command of docs/federation.md, with issuers on this machine in place of GitHub's and the cluster's. */
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { fileURLToPath } from "node:url";
import { systemClock } from "#base/clock.ts";
import { startIssuer, type TestIssuer } from "#test/federation/issuer.ts";
import { encoded, makeProvider, responseXml } from "#test/federation/saml-provider.ts";
import { run } from "#test/support/process.ts";
import { startRealServer } from "#test/support/real-server.ts";
import { temporaryDirectory } from "#test/support/temporary.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const PAGE = readFileSync(join(ROOT, "docs/federation.md"), "utf8");
const GITHUB = "https://token.actions.githubusercontent.com";

test("docs/federation.md: every command does what the page says", async (t) => {
  const home = await temporaryDirectory();
  const server = await startRealServer(t, { dataDirectory: join(home, "data") });
  const { accessKeyId, secret } = server;
  const key = `[default]\naws_access_key_id = ${accessKeyId}\naws_secret_access_key = ${secret}\n`;
  writeFileSync(join(home, "data/credentials"), key);
  const [github, cluster] = [await startIssuer(t), await startIssuer(t)];
  const nowMs = systemClock.now();
  const sub = "repo:octo-org/octo-repo:ref:refs/heads/main";
  const tokens = await startTokens(t, github, sub);
  const loader = { sub: "system:serviceaccount:training:loader", aud: "lode" };
  writeFileSync(join(home, "loader.token"), await cluster.token(loader, { nowMs }));
  const idp = makeProvider();
  writeFileSync(join(home, "idp.pem"), idp.certificate);
  const said = { fromMs: nowMs, untilMs: nowMs + 300_000 };
  const response = encoded(idp.sign(responseXml(said), "Assertion"));
  writeFileSync(join(home, "response.b64"), response);
  const here = (url: string) => `${url} --private-network on`;
  const commands = [...PAGE.matchAll(/^```sh\n(.*?)^```$/gms)].map(([, text = ""]) =>
    text
      .replaceAll(`--issuer ${GITHUB}`, `--issuer ${here(github.issuerUrl)}`)
      .replaceAll(GITHUB, github.issuerUrl)
      .replaceAll('--issuer "$issuer"', here('--issuer "$issuer"'))
      .replaceAll("http://127.0.0.1:9000", server.endpoint)
      .replaceAll("http://127.0.0.1:9001", server.adminEndpoint),
  );
  assert.ok(commands.length >= 8);
  const script = [
    "set -eu -o pipefail",
    `cd '${home}'`,
    `lode() { LODE_ADMIN_URL=${server.adminEndpoint} LODE_ADMIN_TOKEN=$(cat data/admin-token) '${process.execPath}' '${ROOT}bin/lode' "$@"; }`,
    `aws() { '${process.execPath}' '${ROOT}test/docs/aws.ts' "$@"; }`,
    // What a cluster's API server answers there; its paths are not the test issuer's.
    `kubectl() { case "$3" in /openid/v1/jwks) curl -s ${cluster.issuerUrl}/keys;; *) curl -s "${cluster.issuerUrl}$3";; esac; }`,
    `export RUNNER_TEMP='${home}' ACTIONS_ID_TOKEN_REQUEST_TOKEN=github ACTIONS_ID_TOKEN_REQUEST_URL='${tokens}?api-version=2.0'`,
    ...commands,
  ].join("\n");
  writeFileSync(join(home, "page.sh"), script);

  const { code, stdout, stderr } = await run(t, { command: ["bash", join(home, "page.sh")] });

  assert.equal(code, 0, stdout + stderr);
  assert.match(stdout, new RegExp(`role/${github.issuerUrl}:${sub}`));
  assert.equal(
    stdout.split("a trained model").length - 1,
    4,
    "CI, pod, container and SAML read it",
  );
  assert.match(stdout, /refused: the policy lets it write models/);
  assert.match(stdout, /^model\.bin$/m);
  assert.match(stdout, /^github .* false$/m);
});

/** As GitHub gives tokens to jobs. */
async function startTokens(t: TestContext, issuer: TestIssuer, sub: string): Promise<string> {
  const server = createServer((request, reply) => {
    const { searchParams } = new URL(request.url ?? "", "http://localhost");
    const claims = { sub, aud: searchParams.get("audience") };
    issuer.token(claims, { nowMs: systemClock.now() }).then(
      (value) => reply.end(JSON.stringify({ count: value.length, value })),
      () => reply.writeHead(500).end(),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/token`;
}
