import assert from "node:assert/strict";
import { S3ServiceException } from "@aws-sdk/client-s3";

/** The request is refused with this error name and status. */
export async function refused(sent: Promise<unknown>, name: string, status: number): Promise<void> {
  const error = await refusal(sent);
  assert.deepEqual([error.name, error.$metadata.httpStatusCode], [name, status]);
}

/** The request is refused with an answer that has no body, which leaves the client no name for it. */
export async function refusedBare(sent: Promise<unknown>, status: number): Promise<void> {
  const error = await refusal(sent);
  assert.equal(error.$metadata.httpStatusCode, status);
}

async function refusal(sent: Promise<unknown>): Promise<S3ServiceException> {
  try {
    await sent;
  } catch (error) {
    assert.ok(error instanceof S3ServiceException, String(error));
    return error;
  }
  assert.fail("the request was not refused");
}
