import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { openControl } from "#test/admin/control.ts";
import { temporaryDirectory } from "#test/support/temporary.ts";

const VOLUMES = "/v1/lode/volume";

test("a directory becomes a volume, is resized, and stays when the volume goes", async (t) => {
  const { ok, call } = await openControl(t);
  const path = await temporaryDirectory();
  writeFileSync(join(path, "file"), "bytes");

  const made = await ok("POST", VOLUMES, { volumeId: "vol0000001", path, sizeBytes: "1048576" });

  assert.equal(made.volumeId, "vol0000001");
  assert.equal(made.name, "vol0000001");
  assert.equal(made.path, path);
  assert.equal(made.location, "us-east-1");
  assert.equal(made.sizeBytes, "1048576");
  assert.equal(made.umask, "022");
  assert.deepEqual((await ok("GET", VOLUMES)).volumes.length, 1);
  const size = await ok("PUT", `${VOLUMES}/vol0000001/size`, { sizeBytes: 5 });
  assert.equal(size.sizeBytes, "5");
  assert.equal((await ok("PUT", `${VOLUMES}/vol0000001/size`, {})).sizeBytes, undefined);
  await ok("DELETE", `${VOLUMES}/vol0000001`);
  assert.equal((await call({ path: `${VOLUMES}/vol0000001` })).status, 404);
  writeFileSync(join(path, "file"), "still there");
});

test("CreateVolume makes an id of ten letters and digits when none is given", async (t) => {
  const { ok } = await openControl(t);

  const made = await ok("POST", VOLUMES, { path: await temporaryDirectory() });

  assert.match(made.volumeId, /^[a-z0-9]{10}$/);
});

test("CreateVolume refuses what cannot be a volume, and says why", async (t) => {
  const { ok, call } = await openControl(t);
  const path = await temporaryDirectory();
  mkdirSync(join(path, "inner"));
  writeFileSync(join(path, "file"), "");
  await ok("POST", VOLUMES, { volumeId: "vol0000001", path: join(path, "inner") });
  const refused = async (body: object) => {
    const { status, json } = await call({ method: "POST", path: VOLUMES, body });
    return `${status} ${json.message}`;
  };

  assert.match(await refused({ path: "relative" }), /^400 .*give an absolute path/);
  assert.match(await refused({ path: join(path, "none") }), /^400 .*ENOENT/);
  assert.match(await refused({ path: join(path, "file") }), /^400 .*it is no directory/);
  assert.match(await refused({ path }), /^400 .*shares its directory with the volume "vol0000001"/);
  assert.match(await refused({ path: "/", volumeId: "UPPER" }), /^400 /);
  const other = await temporaryDirectory();
  assert.match(await refused({ path: other, volumeId: "vol0000001" }), /^409 .*vol0000001/);
  assert.match(await refused({ path: other, volumeId: "x" }), /^400 .*volumeId "x"/);
  assert.match(await refused({ path: other, umask: "9" }), /^400 .*octal/);
});

test("volumes are the operator's to manage", async (t) => {
  const { call, userToken, allow } = await openControl(t);
  await allow("coreweave/ada", ["cwobject:*"]);
  const token = await userToken({ uid: "ada" });

  const { status } = await call({ path: VOLUMES, token });

  assert.equal(status, 403);
});
