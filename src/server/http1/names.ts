/** Of the headers that S3's clients send. */
const NAMES = [
  ...["accept", "accept-encoding", "accept-language", "amz-sdk-invocation-id", "amz-sdk-request"],
  ...["authorization", "cache-control", "connection", "content-disposition", "content-encoding"],
  ...["content-language", "content-length", "content-md5", "content-type", "cookie", "date"],
  ...["expect", "expires", "forwarded", "host", "if-match", "if-modified-since", "if-none-match"],
  ...[
    "if-range",
    "if-unmodified-since",
    "keep-alive",
    "origin",
    "pragma",
    "range",
    "referer",
    "te",
  ],
  ...["traceparent", "trailer", "transfer-encoding", "upgrade", "user-agent", "via"],
  ...["x-amz-acl", "x-amz-checksum-algorithm", "x-amz-checksum-crc32", "x-amz-checksum-crc32c"],
  ...["x-amz-checksum-crc64nvme", "x-amz-checksum-mode", "x-amz-checksum-sha1"],
  ...["x-amz-checksum-sha256", "x-amz-content-sha256", "x-amz-copy-source", "x-amz-date"],
  ...["x-amz-copy-source-range", "x-amz-decoded-content-length", "x-amz-metadata-directive"],
  ...["x-amz-sdk-checksum-algorithm", "x-amz-security-token", "x-amz-server-side-encryption"],
  ...["x-amz-storage-class", "x-amz-tagging", "x-amz-trailer", "x-amz-user-agent"],
  ...["x-amzn-trace-id", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-id"],
];

/** By how they are mostly spelled. */
const KNOWN: ReadonlyMap<string, string> = new Map(
  NAMES.flatMap((name) => [name, titled(name)].map((spelled) => [spelled, name] as const)),
);

/** A header's name in lower case; the same string each time for those that are usual. */
export function lowerName(sent: string): string {
  return KNOWN.get(sent) ?? sent.toLowerCase();
}

function titled(name: string): string {
  const words = name.split("-").map((word) => word.slice(0, 1).toUpperCase() + word.slice(1));
  return words.join("-");
}
