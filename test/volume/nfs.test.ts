/** What NFS does and a local disk does not, as far as it can be shown on a local disk. */
import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { link, rename } from "node:fs/promises";
import { test } from "node:test";
import { md5, refused, sample } from "#test/contract/engine-objects.ts";
import { listAll, newRoot, openVolume } from "#test/volume/volume.ts";
import { HIDDEN_NAME } from "#volume/key-path.ts";
import { linkedAs, renameAs } from "#volume/lost-replies.ts";
import { mountIn } from "#volume/mount.ts";
import { unlessStale } from "#volume/stale.ts";
import { sweepVolume } from "#volume/sweep.ts";
import { told } from "#volume/told-error.ts";

const REMOVED = ".nfs000000000004a1b200000003";

/** As Node tells errors that it has no name for. */
function unnamed(errno: number): Error {
  const code = `Unknown system error -${errno}`;
  return Object.assign(new Error(code), { errno: -errno, code });
}
const stale = () => unnamed(116);

test("a link or a rename whose answer was lost, and which is asked for again, was done", async (t) => {
  const root = await newRoot(t);
  const [from, to, last] = [`${root}/from`, `${root}/to`, `${root}/last`];
  writeFileSync(from, "bytes");
  const inode = statSync(from, { bigint: true }).ino;
  const linkedTwice = async (one: typeof from | Buffer, other: typeof to | Buffer) => {
    await link(one, other);
    await link(one, other);
  };
  const renamedTwice = async (one: typeof from | Buffer, other: typeof to | Buffer) => {
    await rename(one, other);
    await rename(one, other);
  };

  assert.equal(await linkedAs({ from, to, inode }, linkedTwice), true);
  await renameAs({ from, to: last, inode }, renamedTwice);

  assert.deepEqual(readdirSync(root).sort(), ["last", "to"]);
});

test("what another has put there is not taken for one's own", async (t) => {
  const root = await newRoot(t);
  const [from, to] = [`${root}/from`, `${root}/to`];
  writeFileSync(from, "mine");
  writeFileSync(to, "another's");
  const inode = statSync(from, { bigint: true }).ino;

  assert.equal(await linkedAs({ from, to, inode }), false);
  await assert.rejects(renameAs({ from: `${root}/gone`, to, inode }), { code: "ENOENT" });

  assert.equal(readFileSync(to, "utf8"), "another's");
});

test("what met a replaced file is done again, and not for ever", async () => {
  let met = 0;
  const twice = async () => {
    met += 1;
    if (met < 3) throw stale();
    return "done";
  };
  assert.equal(await unlessStale(twice), "done");
  let always = 0;
  const never = unlessStale(async () => {
    always += 1;
    throw stale();
  });
  await assert.rejects(never, /116/);
  assert.ok(always > 1 && always < 100);
});

test("a stale handle and a quota of a user are told in words of S3", async () => {
  const failing = (errno: number) => told("key", () => Promise.reject(unnamed(errno)));
  await refused(failing(116), "OperationAborted");
  await refused(failing(122), "InsufficientStorage");
});

test("a file that was removed while it is open on an NFS client is no object, and is left to it", async (t) => {
  const volume = await openVolume(t);
  const { s3, at } = volume;
  await s3.put("d/key", "bytes");
  for (const name of [at(REMOVED), at("d", REMOVED), at(HIDDEN_NAME, "tmp", REMOVED)]) {
    writeFileSync(name, "removed");
  }
  writeFileSync(at(HIDDEN_NAME, "locks", REMOVED), "removed");
  writeFileSync(at(".nfs"), "an object");
  writeFileSync(at("d", ".nfs-notes"), "an object");

  assert.deepEqual(await s3.keys(), [".nfs", "d/.nfs-notes", "d/key"]);
  for (const key of [REMOVED, `d/${REMOVED}`, `${REMOVED}/x`]) {
    await refused(s3.head(key), "NoSuchKey");
    await refused(s3.put(key, "x"), "InvalidArgument");
    await s3.delete(key);
  }
  await sweepVolume(volume.volume, { uploadAgeMs: 0 });
  for (const place of [[], ["d"], [HIDDEN_NAME, "tmp"], [HIDDEN_NAME, "locks"]]) {
    assert.ok(existsSync(at(...place, REMOVED)), place.join("/"));
  }
});

test("where caches hide what others do, all is as elsewhere, and nothing is left behind", async (t) => {
  const volume = await openVolume(t, { isShared: true });
  const { s3, at } = volume;
  const { etag } = await s3.put("d/key", "one");
  await s3.put("d/key", "two", { conditions: { ifMatch: etag } });
  await refused(s3.put("d/key", "no", { conditions: { ifMatch: etag } }), "PreconditionFailed");
  await s3.put("d/once", "one", { conditions: { ifNoneMatch: "*" } });
  await refused(s3.head("d/missing"), "NoSuchKey");
  await refused(s3.open("nowhere/missing"), "NoSuchKey");
  await s3.rename("d/once", "d/key");
  const upload = await s3.create("d/whole");
  const parts = [await s3.part(upload, 1, sample(1_000)), await s3.part(upload, 2, sample(9))];
  await s3.complete(upload, parts);
  await s3.copy("d/whole", "copy");
  await s3.delete("d/whole");
  await s3.rename("d/", "e/");

  const found = (await listAll(volume)).map((each) => `${each.key} ${each.etag}`);
  const md5s = parts.map((part) => Buffer.from(part.etag, "hex"));
  assert.deepEqual(found, [`copy ${md5(Buffer.concat(md5s))}-2`, `e/key ${md5("one")}`]);
  for (const directory of ["tmp", "locks", "uploads"]) {
    assert.deepEqual(readdirSync(at(HIDDEN_NAME, directory)), [], directory);
  }
});

const MOUNTS = `22 1 254:0 / / rw,relatime - ext4 /dev/vda rw
36 22 0:48 / /mnt/a rw shared:1 - nfs4 10.0.0.1:/e rw,vers=4.2,hard,proto=tcp
37 22 0:49 / /mnt/b rw,relatime - nfs 10.0.0.1:/e rw,vers=3,soft,nocto,acregmin=1
38 22 0:50 / /mnt/c rw,relatime - nfs4 10.0.0.1:/e rw,vers=4.1,hard,noac,lookupcache=none
39 22 0:51 / /mnt/d rw,relatime - fuse.sshfs host:/ rw
40 22 0:300 / /mnt/e rw,relatime - nfs 10.0.0.1:/e rw,vers=3,hard
`;

test("how a volume is mounted is known, and what cannot be promised so is told with its mend", () => {
  const minor = (number: bigint) => (number & 0xffn) | ((number & ~0xffn) << 12n);
  assert.deepEqual(mountIn(MOUNTS, 254n << 8n), { isShared: false, warnings: [] });
  assert.deepEqual(mountIn(MOUNTS, 99n), { isShared: false, warnings: [] });
  assert.deepEqual(mountIn(MOUNTS, minor(48n)), { isShared: true, warnings: [] });
  const old = mountIn(MOUNTS, minor(49n));
  assert.equal(old.isShared, true);
  for (const mend of [/vers=4\.2/, /Mount it hard/, /nocto/]) {
    assert.ok(
      old.warnings.some((warning) => mend.test(warning)),
      String(mend),
    );
  }
  assert.deepEqual(mountIn(MOUNTS, minor(50n)), { isShared: true, warnings: [] });
  assert.match(mountIn(MOUNTS, minor(51n)).warnings.join(), /sshfs.*one server only/);
  assert.match(mountIn(MOUNTS, minor(300n)).warnings.join(), /4\.2/);
});
