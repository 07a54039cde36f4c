import assert from "node:assert/strict";
import { test } from "node:test";
import { readClaim, type SignedRequest } from "#s3/signature/claim.ts";
import { verifyClaim } from "#s3/signature/verify.ts";

/**
 * Requests of real clients, recorded from the wire: boto3 1.43, AWS CLI 1.45, rclone 1.60, s3cmd
 * 2.3, minio-go 7.3. Headers that nobody signs are left out.
 */
const CAPTURED: readonly (readonly [title: string, head: string])[] = [
  [
    "boto3: PutObject, a key with a space, a plus and a letter beyond ASCII",
    `PUT /bkt/dir/hello%20world%2B%C3%A9.txt
Host: 127.0.0.1:5931
x-amz-meta-who: me
x-amz-checksum-crc32: DUoRhQ==
x-amz-sdk-checksum-algorithm: CRC32
X-Amz-Date: 20261121T132948Z
X-Amz-Content-SHA256: b94d27b9934d3e08a52e52d7da7dabfac484efe37a5380ee9088f7ace2efcde9
Authorization: AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20261121/us-east-1/s3/aws4_request, SignedHeaders=host;x-amz-checksum-crc32;x-amz-content-sha256;x-amz-date;x-amz-meta-who;x-amz-sdk-checksum-algorithm, Signature=34e5eebb0d111632e7d0e35476c48732a2daff824f7fddf5917cce15db648c89`,
  ],
  [
    'boto3: CreateMultipartUpload, a query word without "="',
    `POST /bkt/mp?uploads
Host: 127.0.0.1:5931
X-Amz-Date: 20261121T132951Z
X-Amz-Content-SHA256: e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855
Authorization: AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20261121/us-east-1/s3/aws4_request, SignedHeaders=host;x-amz-content-sha256;x-amz-date, Signature=e039f2c8829dae9488158c0eb57d86993f557676cb30c959ee79f91822f37612`,
  ],
  [
    "boto3: ListObjectsV2, encoded slashes in the query",
    `GET /bkt?list-type=2&prefix=d%2F&delimiter=%2F&encoding-type=url
Host: 127.0.0.1:5931
X-Amz-Date: 20261121T132952Z
X-Amz-Content-SHA256: e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855
Authorization: AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20261121/us-east-1/s3/aws4_request, SignedHeaders=host;x-amz-content-sha256;x-amz-date, Signature=5b6056ef2736c485b783878cdb23903b1183a9abbabd5fecb01132157adc2f94`,
  ],
  [
    "boto3: RenameObject with all conditions",
    `PUT /bkt/dst?renameObject
Host: 127.0.0.1:5931
x-amz-rename-source: /bkt/src
If-Match: "e1"
If-None-Match: *
If-Modified-Since: Thu, 01 Jan 1970 00:00:00 GMT
If-Unmodified-Since: Thu, 01 Jan 1970 00:00:01 GMT
x-amz-rename-source-if-match: "e2"
x-amz-rename-source-if-none-match: "e3"
x-amz-rename-source-if-modified-since: Thu, 01 Jan 1970 00:00:02 GMT
x-amz-rename-source-if-unmodified-since: Thu, 01 Jan 1970 00:00:03 GMT
x-amz-client-token: tok-123
X-Amz-Date: 20261121T132953Z
X-Amz-Content-SHA256: e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855
Authorization: AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20261121/us-east-1/s3/aws4_request, SignedHeaders=host;if-match;if-modified-since;if-none-match;if-unmodified-since;x-amz-client-token;x-amz-content-sha256;x-amz-date;x-amz-rename-source;x-amz-rename-source-if-match;x-amz-rename-source-if-modified-since;x-amz-rename-source-if-none-match;x-amz-rename-source-if-unmodified-since, Signature=221a59b3e556d1405cc6806451cdb51a5e0407ed74ae121aa36a1b8fa818c47b`,
  ],
  [
    "boto3: RenameObject, a source in raw UTF-8",
    `PUT /bkt/dst?renameObject
Host: 127.0.0.1:5931
x-amz-rename-source: src key+\xc3\xa9
x-amz-client-token: bb9323b7-3a7b-4147-bc22-af7312b85102
X-Amz-Date: 20261121T132953Z
X-Amz-Content-SHA256: e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855
Authorization: AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20261121/us-east-1/s3/aws4_request, SignedHeaders=host;x-amz-client-token;x-amz-content-sha256;x-amz-date;x-amz-rename-source, Signature=f6f3ff39d356de1c71e73d0a8f1b5be4519ca0f923efed98b825d0bb9530f0b8`,
  ],
  [
    "boto3: PutObject with SSE-C, unsigned chunks, virtual-hosted",
    `PUT /k
Host: bkt.s3.localhost.test:5934
x-amz-server-side-encryption-customer-algorithm: AES256
x-amz-server-side-encryption-customer-key: MDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDA=
x-amz-server-side-encryption-customer-key-MD5: zZ5FnqcIqUjVwvWmyog4zw==
Content-Encoding: aws-chunked
X-Amz-Trailer: x-amz-checksum-crc32
X-Amz-Decoded-Content-Length: 1
x-amz-sdk-checksum-algorithm: CRC32
X-Amz-Date: 20261121T133019Z
X-Amz-Content-SHA256: STREAMING-UNSIGNED-PAYLOAD-TRAILER
Authorization: AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20261121/us-east-1/s3/aws4_request, SignedHeaders=content-encoding;host;x-amz-content-sha256;x-amz-date;x-amz-decoded-content-length;x-amz-sdk-checksum-algorithm;x-amz-server-side-encryption-customer-algorithm;x-amz-server-side-encryption-customer-key;x-amz-server-side-encryption-customer-key-md5;x-amz-trailer, Signature=9d693a927186cde790a602e8b3a38d0e594d109aae5b9cf6ab89468dcde5ab38`,
  ],
  [
    "boto3: RenameObject signed for s3express",
    `PUT /dst?renameObject
Host: bkt--usw2-az1--x-s3.s3.localhost.test:5937
x-amz-rename-source: /bkt--usw2-az1--x-s3/src
x-amz-client-token: 5c40c5d3-e18f-46e0-a561-61d49b0a1bc1
X-Amz-Date: 20261121T133131Z
X-Amz-Content-SHA256: e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855
x-amz-s3session-token: SESSTOKEN
Authorization: AWS4-HMAC-SHA256 Credential=SESSAK/20261121/us-west-2/s3express/aws4_request, SignedHeaders=host;x-amz-client-token;x-amz-content-sha256;x-amz-date;x-amz-rename-source;x-amz-s3session-token, Signature=7f95e39447aa45a1de11bdeeed2f085883289bae5394a0811090696d039ad2f6`,
  ],
  [
    "AWS CLI: CopyObject",
    `PUT /bkt/f1k-moved
Host: 127.0.0.1:5988
x-amz-copy-source: bkt/f1k
X-Amz-Date: 20261121T133226Z
X-Amz-Content-SHA256: e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855
Authorization: AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20261121/us-east-1/s3/aws4_request, SignedHeaders=host;x-amz-content-sha256;x-amz-copy-source;x-amz-date, Signature=01dbf8ba40559c1108093e7c9099225e10b919dae2ac20185aa05dc7a05c426c`,
  ],
  [
    "AWS CLI: PutObject, If-None-Match, virtual-hosted",
    `PUT /k
Host: bkt.s3.localhost.test:5969
If-None-Match: *
Content-Encoding: aws-chunked
X-Amz-Trailer: x-amz-checksum-crc32
X-Amz-Decoded-Content-Length: 1000
x-amz-sdk-checksum-algorithm: CRC32
X-Amz-Date: 20261121T133340Z
X-Amz-Content-SHA256: STREAMING-UNSIGNED-PAYLOAD-TRAILER
Authorization: AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20261121/us-east-1/s3/aws4_request, SignedHeaders=content-encoding;host;if-none-match;x-amz-content-sha256;x-amz-date;x-amz-decoded-content-length;x-amz-sdk-checksum-algorithm;x-amz-trailer, Signature=d902f7181b22a37513ec7dcd6988f13413f943f6c4c3a3a4bc6498cb0af14a9f`,
  ],
  [
    'rclone: CreateMultipartUpload, a query word with "="',
    `POST /bkt/f100?uploads=
Host: 127.0.0.1:6147
Authorization: AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20261121/us-east-1/s3/aws4_request, SignedHeaders=content-type;host;x-amz-acl;x-amz-content-sha256;x-amz-date;x-amz-meta-md5chksum;x-amz-meta-mtime, Signature=9909d6671ac6ff272c43edac969706bc17d79b7db63a68e58488b9da02b305e6
Content-Type: application/octet-stream
X-Amz-Acl: private
X-Amz-Content-Sha256: e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855
X-Amz-Date: 20261121T133437Z
X-Amz-Meta-Md5chksum: 5TeFCY4djEyDILkyHFhmFQ==
X-Amz-Meta-Mtime: 1795267938.631816836`,
  ],
  [
    "rclone: PutObject, unsigned payload",
    `PUT /bkt/f1k
Host: 127.0.0.1:6147
Content-Length: 1000
Authorization: AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20261121/us-east-1/s3/aws4_request, SignedHeaders=content-length;content-md5;content-type;host;x-amz-acl;x-amz-content-sha256;x-amz-date;x-amz-meta-mtime, Signature=d432153c71e3821bb813657cf29ad34dc0f90a008f6b37189b2aa86ea561f3ca
Content-Md5: kppVBf1kGpzyUKH8BPszOw==
Content-Type: application/octet-stream
X-Amz-Acl: private
X-Amz-Content-Sha256: UNSIGNED-PAYLOAD
X-Amz-Date: 20261121T133436Z
X-Amz-Meta-Mtime: 1795267938.637830963`,
  ],
  [
    "s3cmd: PutObject, no spaces in Authorization",
    `PUT /bkt/f1k
Host: 127.0.0.1:6047
Authorization: AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20261121/us-east-1/s3/aws4_request,SignedHeaders=content-length;content-type;host;x-amz-content-sha256;x-amz-date;x-amz-meta-s3cmd-attrs;x-amz-storage-class,Signature=fa35dc3d36ee97227ba5e90395012ae2d18f380c46ce845dda63df1a5a890e03
content-length: 1000
content-type: application/octet-stream
x-amz-content-sha256: 483abe773345fc9aeb361ee32ad1e27ab07cd92da4e082aec4397deaa268ca06
x-amz-date: 20261121T133345Z
x-amz-meta-s3cmd-attrs: atime:1795267940/ctime:1795267938/gid:0/gname:root/md5:929a5505fd641a9cf250a1fc04fb333b/mode:33188/mtime:1795267938/uid:0/uname:root
x-amz-storage-class: STANDARD`,
  ],
  [
    "s3cmd: ListObjects",
    `GET /bkt/?delimiter=%2F&prefix=dir%2F
Host: 127.0.0.1:6047
x-amz-date: 20261121T133347Z
Authorization: AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20261121/us-east-1/s3/aws4_request,SignedHeaders=host;x-amz-content-sha256;x-amz-date,Signature=b3ff97beacc11995274670e81a8530aee90a9782371c09499e918a10e668662f
x-amz-content-sha256: e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855`,
  ],
  [
    "minio-go: UploadPart, signed chunks and a signed trailer",
    `PUT /minio-go-test-r0ljgbn23yxczzp4/file2?partNumber=3&uploadId=UPID
Host: 127.0.0.1:5991
Authorization: AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20261121/us-east-1/s3/aws4_request,SignedHeaders=content-encoding;host;x-amz-content-sha256;x-amz-date;x-amz-decoded-content-length;x-amz-trailer,Signature=bcd188d174158c5885ab1f2cf520aa8dc57fe5c46284e3d04eaf505a18b6ba6d
Content-Encoding: aws-chunked
X-Amz-Content-Sha256: STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER
X-Amz-Date: 20261121T134014Z
X-Amz-Decoded-Content-Length: 16777216
X-Amz-Trailer: x-amz-checksum-crc32c`,
  ],
  [
    "minio-go: ListMultipartUploads, empty values in the query",
    `GET /minio-go-test-r0ljgbn23yxczzp4/?delimiter=&encoding-type=url&prefix=&uploads=
Host: 127.0.0.1:5991
Authorization: AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20261121/us-east-1/s3/aws4_request, SignedHeaders=host;x-amz-content-sha256;x-amz-date, Signature=b4fd4727dfe2e69850666597783b1579967e1cd1113d5da720de0ccc158e96bd
X-Amz-Content-Sha256: e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855
X-Amz-Date: 20261121T134019Z`,
  ],
];

const PRESIGNED: readonly (readonly [method: string, url: string])[] = [
  [
    "GET",
    "http://127.0.0.1:5931/bkt/k%20y?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIDEXAMPLE%2F20261121%2Fus-east-1%2Fs3%2Faws4_request&X-Amz-Date=20261121T132955Z&X-Amz-Expires=3600&X-Amz-SignedHeaders=host&X-Amz-Signature=cd704b44ddb51fb47ffa5dbe8817d53265b696782b49a3aec4fc4742abfda49a",
  ],
  [
    "PUT",
    "http://127.0.0.1:5931/bkt/k?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIDEXAMPLE%2F20261121%2Fus-east-1%2Fs3%2Faws4_request&X-Amz-Date=20261121T132955Z&X-Amz-Expires=3600&X-Amz-SignedHeaders=host&X-Amz-Signature=4cda9b339559c1a5ceec05983a2bc3e3acf179e51ca59b546199a806dc65a993",
  ],
];

const SECRETS: Readonly<Record<string, string>> = {
  AKIDEXAMPLE: "SECRETEXAMPLE",
  SESSAK: "SESSSK",
};

for (const [title, head] of CAPTURED) {
  test(`verifies ${title}`, () => {
    verify(requestOf(head));
  });

  test(`refuses a change of anything signed in ${title}`, () => {
    const request = requestOf(head);
    const claim = readClaim(request);
    assert.ok(claim !== undefined);
    refuses({ ...request, method: request.method === "PUT" ? "POST" : "PUT" });
    refuses({ ...request, path: `${request.path}x` });
    refuses({ ...request, query: request.query === "" ? "x" : `${request.query}x` });
    for (const name of claim.signedHeaders) {
      // These two have a form of their own: another value is refused before the signature is.
      if (name === "x-amz-date" || name === "x-amz-content-sha256") continue;
      refuses(withHeader(request, name, `${request.headers[name]}x`));
    }
    refuses(withHeader(request, "x-amz-date", claim.amzDate.replace(/..Z$/, "00Z")));
    refuses(withHeader(request, "x-amz-content-sha256", "0".repeat(64)));
  });
}

for (const [method, url] of PRESIGNED) {
  const { host, pathname, search } = new URL(url);
  const request = { method, path: pathname, query: search.slice(1), headers: { host } };

  test(`verifies a ${method} presigned by boto3`, () => {
    verify(request);
  });

  test(`refuses a change of anything signed in a ${method} presigned by boto3`, () => {
    refuses({ ...request, method: "DELETE" });
    refuses({ ...request, path: "/bkt/other" });
    refuses({ ...request, query: `${request.query}&versionId=1` });
    refuses({ ...request, query: request.query.replace("Expires=3600", "Expires=3601") });
    refuses({ ...request, headers: { host: "127.0.0.1:5932" } });
  });
}

function verify(request: SignedRequest) {
  const claim = readClaim(request);
  assert.ok(claim !== undefined);
  const secret = SECRETS[claim.accessKeyId] ?? "";
  return verifyClaim(request, claim, { secret, nowMs: claim.timeMs, skewMsMax: 0 });
}

function refuses(request: SignedRequest): void {
  assert.throws(() => verify(request), { name: "S3Error", code: "SignatureDoesNotMatch" });
}

function withHeader(request: SignedRequest, name: string, value: string): SignedRequest {
  return { ...request, headers: { ...request.headers, [name]: value } };
}

function requestOf(head: string): SignedRequest {
  const [first = "", ...lines] = head.split("\n");
  const [method = "", target = ""] = first.split(" ");
  const [path = "", query = ""] = target.split("?");
  const headers = lines.map((line) => {
    const at = line.indexOf(":");
    return [line.slice(0, at).toLowerCase(), line.slice(at + 2)];
  });
  return { method, path, query, headers: Object.fromEntries(headers) };
}
