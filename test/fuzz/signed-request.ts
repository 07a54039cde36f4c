import fc from "fast-check";
import { cleanText, percentEncoded } from "#test/fuzz/text.ts";

/** A request that a client might sign. */
export interface ToBeSigned {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly accessKeyId: string;
  readonly secret: string;
  readonly token: string | undefined;
  readonly region: string;
  /** Seconds that a presigned URL is good for; undefined: signed in its headers. */
  readonly expires: number | undefined;
}

const ORIGIN = "http://127.0.0.1:9000";
const path = cleanText.chain((key) => percentEncoded(key, /[\w.~!$'()*,;:@&=/-]/));
const field = cleanText.chain((text) => percentEncoded(text, /[\w.~!$'()*,;:@/-]/));
const query = fc
  .array(fc.tuple(field, fc.option(field, { nil: undefined })), { maxLength: 4 })
  .map((pairs) =>
    pairs.map(([name, value]) => (value === undefined ? name : `${name}=${value}`)).join("&"),
  );
const headerValue = fc.string({
  ...{ unit: fc.constantFrom(..."abcXYZ019 ,;:=/+-_.~\"'<>()[]{}@?!*&%$#  "), maxLength: 20 },
});
const name = fc.string({ unit: fc.constantFrom(..."abcxyz019-"), minLength: 1, maxLength: 8 });
const headers = fc.dictionary(
  name.map((each) => `x-amz-meta-${each}`),
  headerValue.map((value) => value.trim() || "v"),
  { maxKeys: 4 },
);
const word = fc.string({
  unit: fc.constantFrom(..."ABCDEFGHabcd0123"),
  minLength: 4,
  maxLength: 20,
});

export const toBeSigned: fc.Arbitrary<ToBeSigned> = fc
  .record({
    method: fc.constantFrom("GET", "HEAD", "PUT", "POST", "DELETE"),
    ...{ path, query, headers, accessKeyId: word, body: fc.string({ maxLength: 40 }) },
    secret: fc.string({ unit: fc.constantFrom(..."abcXYZ0189/+="), minLength: 1, maxLength: 40 }),
    token: fc.option(word, { nil: undefined }),
    region: fc.constantFrom("us-east-1", "eu-west-3", "US-EAST-04A", "auto"),
    expires: fc.option(fc.integer({ min: 1, max: 604_800 }), { nil: undefined }),
  })
  .map(({ path: key, query: asked, ...request }) => ({
    ...request,
    url: `${ORIGIN}/bucket/${key}${asked === "" ? "" : `?${asked}`}`,
  }));
