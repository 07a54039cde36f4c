/** A server whose disk has damaged the record of one bucket. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { LmdbMetaStore } from "#meta/lmdb.ts";
import { newBucketName } from "#object/name.ts";
import { openControl } from "#test/admin/control.ts";
import { call, expectCall, makeBucket, put } from "#test/fault/call.ts";
import { texts } from "#test/s3/xml.ts";
import { startRealServer } from "#test/support/real-server.ts";
import { temporaryDirectory } from "#test/support/temporary.ts";

const NONSENSE = Buffer.from('{"format":1,"id":"\0\0\0\0\0\0');

test("a bucket whose record is damaged is listed by its name, refuses all that is asked of it, and keeps no other from service", async (t) => {
  const server = await startRealServer(t, { workers: 2 });
  for (const name of ["one", "spoilt", "two"]) {
    await put(server, `${await makeBucket(server, name)}/key`, name);
  }
  await using meta = new LmdbMetaStore(join(server.dataDirectory, "metadata"));
  await meta.commit({ guards: [], writes: [{ key: Buffer.from("bspoilt"), value: NONSENSE }] });

  const listed = (await expectCall(server, { method: "GET", path: "/" })).body.toString();
  assert.deepEqual(texts(listed, "Name"), ["one", "spoilt", "two"]);
  assert.equal(texts(listed, "CreationDate")[1], "1970-01-01T00:00:00.000Z");
  assert.equal(texts(listed, "BucketRegion").length, 2);
  const query = "/?bucket-region=us-east-1";
  const ofRegion = await expectCall(server, { method: "GET", path: query });
  assert.deepEqual(texts(ofRegion.body.toString(), "Name"), ["one", "two"]);

  const asked = [
    ["GET", "/spoilt?list-type=2"],
    ["GET", "/spoilt/key"],
    ["PUT", "/spoilt/key"],
    ["PUT", "/spoilt"],
    ["DELETE", "/spoilt/key"],
    ["DELETE", "/spoilt"],
  ] as const;
  for (const [method, path] of asked) {
    const { status, code } = await call(server, { method, path });
    assert.deepEqual({ status, code }, { status: 500, code: "InternalError" }, `${method} ${path}`);
  }
  assert.equal((await meta.get(Buffer.from("bspoilt")))?.value.toString(), NONSENSE.toString());
  for (const name of ["one", "two"]) {
    const got = await expectCall(server, { method: "GET", path: `/${name}/key` });
    assert.equal(got.body.toString(), name);
    await put(server, `/${name}/another`, "bytes");
  }
  assert.equal((await fetch(`${server.adminEndpoint}/metrics`)).status, 200);
});

test("an organization with a bucket whose record is damaged is not empty, and its other buckets are listed", async (t) => {
  const { ok, call, meta, control, failures } = await openControl(t);
  await ok("POST", "/v1/lode/organization", { orgId: "damaged", name: "Damaged" });
  await control.catalog.create(newBucketName("whole"), { id: "damaged", region: "x" });
  await control.catalog.create(newBucketName("spoilt"), { id: "damaged", region: "x" });
  await meta.commit({ guards: [], writes: [{ key: Buffer.from("bspoilt"), value: NONSENSE }] });
  const remove = { method: "DELETE", path: "/v1/lode/organization/damaged" };

  const { info } = await ok("GET", "/v1/cwobject/bucket-info?orgId=damaged");
  assert.deepEqual(
    info.map(({ name }: { name: string }) => name),
    ["spoilt", "whole"],
  );
  failures.length = 0;
  await control.catalog.delete(await control.catalog.bucket(newBucketName("whole")), NOTHING);
  const refused = await call(remove);
  assert.match(refused.json.message, /still has buckets/);
  // It may be a volume of the very same directory.
  const path = await temporaryDirectory();
  const volume = await call({ method: "POST", path: "/v1/lode/volume", body: { path } });
  assert.equal(volume.status, 400);
  assert.match(volume.json.message, /bucket "spoilt" may be a volume/);
});

const NOTHING = { guards: [], writes: [] };
