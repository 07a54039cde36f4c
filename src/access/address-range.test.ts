import assert from "node:assert/strict";
import { test } from "node:test";
import { isWide, rangeTest, readAddressRange } from "#access/address-range.ts";

const CASES: readonly (readonly [range: string, address: string, expected: boolean])[] = [
  ["10.0.0.0/8", "10.255.255.255", true],
  ["10.0.0.0/8", "11.0.0.0", false],
  ["10.0.0.5/8", "10.9.9.9", true],
  ["203.0.113.7", "203.0.113.7", true],
  ["203.0.113.7", "203.0.113.8", false],
  ["203.0.113.0/25", "203.0.113.128", false],
  ["0.0.0.0/0", "1.2.3.4", true],
  ["10.0.0.0/8", "::ffff:10.1.2.3", true],
  ["10.0.0.0/8", "::ffff:0a01:0203", true],
  ["::ffff:10.0.0.0/104", "10.1.2.3", true],
  ["0:0:0:0:0:ffff:a00:0/104", "10.1.2.3", true],
  ["::ffff:10.0.0.0/104", "11.1.2.3", false],
  ["2001:db8::/32", "2001:db8:ffff::1", true],
  ["2001:db8::/32", "2001:db9::1", false],
  ["::1", "0:0:0:0:0:0:0:1", true],
  ["fe80::/10", "fe80::1%eth0", true],
  ["::/0", "2001:db8::1", true],
  ["::/0", "10.1.2.3", false],
  ["0.0.0.0/0", "2001:db8::1", false],
  ["10.0.0.0/8", "", false],
  ["10.0.0.0/8", "localhost", false],
];

for (const [text, address, expected] of CASES) {
  test(`${address === "" ? "nothing" : address} is ${expected ? "" : "not "}in ${text}`, () => {
    const range = readAddressRange(text);
    assert.ok(range !== undefined);

    assert.equal(rangeTest(range)(address), expected);
  });
}

const NONE = ["", "10.0.0", "10.0.0.0/33", "10.0.0.0/", "10.0.0.0/8/8", "::/129", "1.2.3.4/-1"];
for (const text of [...NONE, "*", "256.0.0.0", "fe80::1%eth0", "example.com", "10.0.0.0/1e1"]) {
  test(`${JSON.stringify(text)} is no range of addresses`, () => {
    assert.equal(readAddressRange(text), undefined);
  });
}

const WIDE = ["0.0.0.0/0", "128.0.0.0/1", "8.0.0.0/7", "::/0", "2000::/3", "2001::/31"];
const NARROW = ["8.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "1.2.3.4", "2001:db8::/32", "fd00::/8"];

for (const [texts, expected] of [
  [WIDE, true],
  [NARROW, false],
] as const) {
  for (const text of texts) {
    test(`to allow ${text} is ${expected ? "" : "not "}to allow the public`, () => {
      const range = readAddressRange(text);
      assert.ok(range !== undefined);

      assert.equal(isWide(range), expected);
    });
  }
}
