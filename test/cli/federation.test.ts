import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { runCli } from "#cli/main.ts";
import { makeKeyAndCertificate } from "#test/federation/certificate.ts";
import { startRealServer } from "#test/support/real-server.ts";

test("issuers and identity providers are managed from the command line", async (t) => {
  const server = await startRealServer(t);
  const token = readFileSync(join(server.dataDirectory, "admin-token"), "utf8").trim();
  const environment = { LODE_ADMIN_URL: server.adminEndpoint, LODE_ADMIN_TOKEN: token };
  const lode = async (...args: readonly string[]) => await runCli(args, environment);
  const ok = async (...args: readonly string[]) => {
    const { stdout, stderr, exitCode } = await lode(...args);
    assert.equal(exitCode, 0, stderr);
    return stdout;
  };

  assert.equal(await ok("oidc", "list"), "There are none.\n");
  const issuer = ["--issuer", "https://issuer.example"];
  const shown = await ok("oidc", "create", "ci", ...issuer, "--audience", "a", "--audience", "b");
  assert.match(
    shown,
    /^name +ci\nid +[0-9a-f]{32}\nissuer +https:\/\/issuer\.example\naudience +a, b\nactive +yes\n$/,
  );
  assert.match(
    await ok("oidc", "update", "ci", "--active", "off", "--audience", "c"),
    /audience +c\nactive +no/,
  );
  assert.match(
    await ok("oidc", "list"),
    /^NAME +ISSUER +AUDIENCE +ACTIVE\nci +https:\/\/issuer\.example +c +false\n$/,
  );
  const jwks = join(server.dataDirectory, "jwks.json");
  writeFileSync(jwks, '{"keys":[{"kty":"EC"}]}');
  const updated = await ok("oidc", "update", "ci", "--jwks", jwks, "--json");
  assert.equal(JSON.parse(updated).jwks, '{"keys":[{"kty":"EC"}]}');
  await ok("oidc", "delete", "ci");

  const certificate = join(server.dataDirectory, "idp.pem");
  writeFileSync(certificate, makeKeyAndCertificate().certificate);
  const provider = ["--entity-id", "https://idp.example", "--audience", "urn:lode"];
  const made = await ok("saml", "create", "adfs", ...provider, "--certificate", certificate);
  const id = /^id +(\w+)$/m.exec(made)?.[1] ?? "";
  assert.match(
    await ok("saml", "update", id, "--acs-url", "https://a.example"),
    /entity id +https/,
  );
  assert.match(await ok("saml", "list"), new RegExp(`^NAME +ID.*\\nadfs +${id} `));
  await ok("saml", "delete", "adfs");

  const missing = await lode("saml", "delete", "adfs");
  assert.equal(missing.exitCode, 1);
  assert.match(missing.stderr, /configuration "adfs" not found/);
  const refused = await lode(
    "oidc",
    "create",
    "ci",
    "--issuer",
    "http://a.example",
    "--audience",
    "a",
  );
  assert.match(refused.stderr, /issuerUrl/);
});
