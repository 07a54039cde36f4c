import { type Field, multipart, signedForm, type ToPost } from "#test/support/form.ts";
import { type Ask, type Reply, ROOT, type TestServer } from "#test/support/server.ts";

type Headers = Readonly<Record<string, string>>;

export interface Posting extends Partial<Omit<ToPost, "fields">> {
  /** Signed; the key "key" when absent. */
  readonly fields?: Headers;
  /** Not covered by the policy. */
  readonly more?: readonly Field[];
  readonly file?: string | Uint8Array;
  readonly behind?: readonly Field[];
  /** Of the request, and how its form is written. */
  readonly headers?: Headers;
  readonly form?: Parameters<typeof multipart>[1];
}

/** Posts a form with a policy that allows what is in `fields`. */
export async function post(s3: TestServer, posting: Posting = {}): Promise<Reply> {
  const { bucket = "bucket", fields = { key: "key" }, more = [] } = posting;
  const given = { ...ROOT, nowMs: s3.clock.now(), ...posting, bucket, fields };
  return await postUnsigned(s3, [...signedForm(given), ...more], posting);
}

/** Posts these fields and no others. */
export async function postUnsigned(
  s3: TestServer,
  fields: readonly Field[],
  posting: Posting = {},
): Promise<Reply> {
  const { bucket = "bucket", file = "bytes", behind = [], headers = {} } = posting;
  const form = multipart([...fields, ["file", file], ...behind], posting.form);
  const all = { ...form.headers, ...headers };
  return await postBody(s3, { path: `/${bucket}`, body: form.body, headers: all });
}

/** Posts a body as it is. */
export async function postBody(s3: TestServer, ask: Partial<Ask>): Promise<Reply> {
  return await s3.request({ method: "POST", path: "/bucket", sign: false, ...ask });
}
