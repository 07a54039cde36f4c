/** Requests to complete one upload that arrive while another still runs, as of a client that has lost patience. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { MemoryMetaStore } from "#meta/memory.ts";
import type { Change } from "#meta/store.ts";
import { call, makeBucket } from "#test/fault/call.ts";
import { startInProcess } from "#test/fault/in-process.ts";
import { completeDocument } from "#test/s3/multipart.ts";
import { only } from "#test/s3/xml.ts";

/** Lets no commit happen before as many wait as shall come together. */
class MeetingMetaStore extends MemoryMetaStore {
  #missing = 0;
  #meeting = Promise.withResolvers<void>();

  expect(count: number): void {
    this.#missing = count;
    this.#meeting = Promise.withResolvers();
  }

  override async commit(change: Change): Promise<number | undefined> {
    if (this.#missing > 0) {
      this.#missing -= 1;
      if (this.#missing === 0) this.#meeting.resolve();
      await this.#meeting.promise;
    }
    return await super.commit(change);
  }
}

for (const headers of [{}, { "if-none-match": "*" }]) {
  const how = Object.keys(headers)[0] ?? "no condition";
  test(`requests to complete one upload at once, with ${how}, all get the answer of the one that did`, async (t) => {
    const meta = new MeetingMetaStore();
    const target = await startInProcess(t, { meta });
    const path = `${await makeBucket(target, "bucket")}/key`;
    const made = await call(target, { method: "POST", path: `${path}?uploads` });
    const uploadId = only(made.body.toString(), "UploadId") ?? "";
    const upload = `${path}?uploadId=${uploadId}`;
    const part = { method: "PUT", path: `${upload}&partNumber=1`, body: Buffer.from("bytes") };
    const etag = (await call(target, part)).headers.etag ?? "";
    const body = Buffer.from(completeDocument([{ number: 1, etag }]));
    meta.expect(3);

    const ask = async () => await call(target, { method: "POST", path: upload, body, headers });
    const replies = await Promise.all([ask(), ask(), ask()]);

    for (const reply of replies) assert.equal(reply.status, 200, reply.body.toString());
    assert.equal(new Set(replies.map((reply) => reply.body.toString())).size, 1);
    assert.equal((await call(target, { method: "GET", path })).body.toString(), "bytes");
  });
}
