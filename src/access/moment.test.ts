import assert from "node:assert/strict";
import { test } from "node:test";
import { readMoment } from "#access/moment.ts";

const MOMENTS: Readonly<Record<string, string>> = {
  "1767225600": "2026-01-01T00:00:00.000Z",
  "100000000": "1973-03-03T09:46:40.000Z",
  "2026-01-01": "2026-01-01T00:00:00.000Z",
  "2026-01-01T10:00Z": "2026-01-01T10:00:00.000Z",
  "2026-01-01T10:00:00Z": "2026-01-01T10:00:00.000Z",
  "2026-01-01T10:00:00.25Z": "2026-01-01T10:00:00.250Z",
  "2026-01-01T10:00:00+02:00": "2026-01-01T08:00:00.000Z",
  "2024-02-29": "2024-02-29T00:00:00.000Z",
};

for (const [text, expected] of Object.entries(MOMENTS)) {
  test(`${text} is ${expected}`, () => {
    assert.equal(new Date(readMoment(text) ?? Number.NaN).toISOString(), expected);
  });
}

const NONE = [
  "",
  "soon",
  "2026",
  "20260101",
  "-1767225600",
  "2026-1-1",
  "2026-02-30",
  "2026-13-01",
  "0000-00-00",
  "2026-01-01T10:00:00",
  "2026-01-01 10:00:00Z",
  "2026-01-01T25:00:00Z",
  "2026-01-01T10:00:00+2",
  "1.5",
  "1e9",
];

for (const text of NONE) {
  test(`${JSON.stringify(text)} is no moment`, () => {
    assert.equal(readMoment(text), undefined);
  });
}
