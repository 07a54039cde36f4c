import assert from "node:assert/strict";
import { test } from "node:test";
import { parseOptions, UsageError } from "./options.ts";

test("without options Lode is started and every group runs", () => {
  const options = parseOptions([]);
  assert.equal(options.startsLode, true);
  assert.ok(options.groups.has("get") && options.groups.has("targets"));
});

test("an endpoint takes Lode's place and peers stand beside either", () => {
  const options = parseOptions([
    ...["--endpoint", "http://127.0.0.1:9000", "--access-key", "a", "--secret-key", "s"],
    ...["--peer", "other=http://k:s%2F1@localhost:9100", "--peer-pid", "other=12"],
  ]);
  assert.equal(options.startsLode, false);
  const [endpoint, other] = options.peers;
  assert.equal(endpoint?.endpoint.accessKeyId, "a");
  assert.equal(other?.endpoint.secretAccessKey, "s/1");
  assert.equal(other?.pid, 12);
});

test("another machine is refused unless it is allowed", () => {
  const remote = ["--endpoint", "http://192.0.2.1:9000"];
  assert.throws(() => parseOptions(remote), UsageError);
  assert.equal(parseOptions([...remote, "--allow-remote"]).peers.length, 1);
});

test("an unknown group or a time that is no number is refused", () => {
  assert.throws(() => parseOptions(["--only", "gett"]), /--only gett/);
  assert.throws(() => parseOptions(["--seconds", "x"]), /--seconds x/);
  assert.throws(() => parseOptions(["--nothing"]), UsageError);
});
