import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { connectionOf, type Environment } from "#cli/connection.ts";
import { Given } from "#cli/given.ts";

const FAR = "https://storage.example:9001";
const HERE = "http://127.0.0.1:9001";

function connection(options: Readonly<Record<string, string>>, environment: Environment) {
  const { url, token } = connectionOf(new Given(new Map(), options), environment);
  return { url, token };
}

test("a token or an address that is empty is none: what stands behind it is taken", (t) => {
  const root = mkdtempSync(join(tmpdir(), "lode-test-"));
  t.after(() => rmSync(root, { recursive: true }));
  writeFileSync(join(root, "admin-token"), "kept-token\n");
  const kept = { LODE_DATA: root };

  for (const nothing of ["", " ", "\n"]) {
    assert.deepEqual(connection({}, { ...kept, LODE_ADMIN_TOKEN: nothing }), {
      url: HERE,
      token: "kept-token",
    });
    assert.deepEqual(
      connection(
        { token: nothing, "admin-url": nothing },
        { ...kept, LODE_ADMIN_TOKEN: "named", LODE_ADMIN_URL: FAR },
      ),
      { url: FAR, token: "named" },
    );
    // The token of this machine's server is never sent to another.
    assert.deepEqual(
      connection({ "admin-url": FAR }, { ...kept, LODE_ADMIN_TOKEN: nothing, LODE_ADMIN_URL: "" }),
      { url: FAR, token: undefined },
    );
  }
});

test("an empty LODE_DATA is ./data, and not the working directory", (t) => {
  const root = mkdtempSync(join(tmpdir(), "lode-test-"));
  const before = process.cwd();
  t.after(() => {
    process.chdir(before);
    rmSync(root, { recursive: true });
  });
  mkdirSync(join(root, "data"));
  writeFileSync(join(root, "data", "admin-token"), "of-the-data\n");
  writeFileSync(join(root, "admin-token"), "of-something-else\n");
  process.chdir(root);

  assert.equal(connection({}, { LODE_DATA: "" }).token, "of-the-data");
});
