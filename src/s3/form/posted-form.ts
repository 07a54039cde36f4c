import { invalidArgument, S3Error } from "#base/error.ts";
import type { HttpRequest } from "#base/http.ts";
import { readXml } from "#base/xml.ts";
import { type FormParts, readForm } from "#s3/form/form-reader.ts";
import { CONTROL } from "#s3/object-headers.ts";
import type { FramedRequest, Headers } from "#s3/request.ts";
import { missingField } from "#s3/signature/form-claim.ts";
import { trimSpaces } from "#s3/signature/white-space.ts";
import { readTagging, writeTagHeader } from "#s3/tags.ts";

/** A request whose form was read as far as its file, and says as headers what the form's fields do. */
export interface FormRequest extends FramedRequest {
  readonly key: string;
  readonly form: FormParts;
}

const FILENAME = `$\{filename}`;
/** Longer than any that a key could take. */
const FILENAME_CHARS_MAX = 1_024;
/** Those that say how or from where a request was sent, and those that can only make it fail. */
const KEPT = [
  ...["host", "referer", "user-agent"],
  ...["if-match", "if-none-match", "x-amz-expected-bucket-owner"],
];
const OBJECT_HEADER =
  /^(?:cache-control|content-(?:disposition|encoding|language|md5|type)|expires|if-match|if-none-match|x-amz-.+)$/s;
/** Fields that a PutObject has under another name. */
const RENAMED = [
  ["acl", "x-amz-acl"],
  ["x-amz-checksum-algorithm", "x-amz-sdk-checksum-algorithm"],
] as const;
const OF_SIGNATURE =
  /^x-amz-(?:algorithm|credential|date|security-token|signature|content-sha256)$/;

/**
 * Reads a form up to its file. What a PutObject says in headers, it says in fields: whoever reads headers of the
 * request reads those, and none that would be about the form as a whole, or that nobody signed.
 *
 * Spec: https://docs.aws.amazon.com/AmazonS3/latest/API/RESTObjectPOST.html
 * Unverified: as versity/versitygw has had it of AWS since 2026-03-28: what is no form is PreconditionFailed.
 * Fails: MissingContentLength, PreconditionFailed, InvalidArgument; as readForm and readTagging.
 */
export async function readPostedForm(
  framed: FramedRequest,
  { body }: Pick<HttpRequest, "body">,
): Promise<FormRequest> {
  const length = framed.headers["content-length"];
  if (length === undefined) throw new S3Error("MissingContentLength", {});
  const boundary = boundaryIn(framed.headers["content-type"] ?? "");
  const parts = await readForm({ boundary, sizeBytes: Number(length), chunks: body });
  const form = { ...parts, fields: withFilename(parts) };
  const key = form.fields.get("key");
  if (key === undefined || key === "") throw missingField("key");
  return { ...framed, key, form, headers: meantHeaders(framed.headers, form) };
}

/** Fails: PreconditionFailed, MalformedPOSTRequest. */
function boundaryIn(contentType: string): string {
  const [type = ""] = contentType.split(";", 1);
  if (type.trim().toLowerCase() !== "multipart/form-data") {
    const Condition = "Bucket POST must be of the enclosure-type multipart/form-data";
    throw new S3Error("PreconditionFailed", { Condition });
  }
  const [, quoted, token] = BOUNDARY.exec(contentType) ?? [];
  const boundary = quoted ?? token;
  if (boundary === undefined) throw new S3Error("MalformedPOSTRequest", {});
  return boundary;
}

/** Spec: https://www.rfc-editor.org/rfc/rfc2046#section-5.1.1 */
const BOUNDARY =
  /;[ \t]*boundary=(?:"([\x20-\x21\x23-\x5b\x5d-\x7e]{1,70})"|([!-+.-:<-~-]{1,70}))[ \t]*(?:;|$)/i;

/**
 * Fields may name the file. Of its path only the name counts.
 *
 * Spec: https://docs.aws.amazon.com/AmazonS3/latest/API/HTTPPOSTForms.html
 * Fails: MalformedPOSTRequest for a name that nothing could have, or that is not UTF-8.
 */
function withFilename({ fields, file }: FormParts): FormParts["fields"] {
  const asking = [...fields].filter(([, value]) => value.includes(FILENAME));
  if (asking.length === 0) return fields;
  const slash = Math.max(file.name.lastIndexOf("/"), file.name.lastIndexOf("\\"));
  const name = file.name.slice(slash + 1);
  if (name.length > FILENAME_CHARS_MAX || name.includes("\uFFFD")) {
    throw new S3Error("MalformedPOSTRequest", {});
  }
  const named = asking.map(
    ([field, value]) => [field, value.replaceAll(FILENAME, () => name)] as const,
  );
  return new Map([...fields, ...named]);
}

/** Of the PutObject that would do the same. */
function meantHeaders(sent: Headers, { fields, file }: FormParts): Headers {
  const headers: Record<string, string | undefined> = Object.create(null);
  for (const name of KEPT) {
    if (sent[name] !== undefined) headers[name] = sent[name];
  }
  headers["content-length"] = String(file.sizeBytesMax);
  for (const [field, value] of fields) {
    if (OBJECT_HEADER.test(field) && !OF_SIGNATURE.test(field)) {
      headers[field] = headerValue(field, value);
    }
  }
  for (const [field, header] of RENAMED) {
    const value = fields.get(field);
    if (value !== undefined) headers[header] = headerValue(field, value);
  }
  const tagging = fields.get("tagging");
  if (tagging !== undefined) headers["x-amz-tagging"] = writeTagHeader(readTags(tagging));
  return headers;
}

/** Fails: InvalidArgument for what no header could hold, and so no answer give back. */
function headerValue(field: string, value: string): string {
  if (CONTROL.test(value)) throw invalidArgument(field, undefined);
  return trimSpaces(Buffer.from(value, "utf8").toString("latin1"));
}

/** Fails: MalformedXML, and as readTagging. */
function readTags(text: string): ReturnType<typeof readTagging> {
  const root = readXml(text);
  if (root.name !== "Tagging") throw new S3Error("MalformedXML", {});
  return readTagging(root);
}
