/**
 * Every failure a client can be told about: S3 code, HTTP status, default message, and the extra
 * elements its <Error> document carries; those with a question mark only sometimes.
 *
 * Spec: https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
 */
const CODES = {
  AccessDenied: code(403, "Access Denied"),
  // Unverified: CoreWeave publishes this message for a full quota, and neither its code nor its status.
  AccountProblem: code(403, "The account is write suspended."),
  AccessControlListNotSupported: code(400, "The bucket does not allow ACLs."),
  AccessForbidden: code(
    403,
    "CORSResponse: This CORS request is not allowed.",
    "Method",
    "ResourceType",
  ),
  AuthorizationHeaderMalformed: code(
    400,
    "The authorization header that you provided is not valid.",
  ),
  AuthorizationQueryParametersError: code(
    400,
    "The authorization query parameters that you provided are not valid.",
  ),
  BadDigest: code(
    400,
    "The Content-MD5 or checksum value that you specified did not match.",
    "ExpectedDigest?",
    "CalculatedDigest?",
  ),
  BadRequest: code(400, "The request could not be understood."),
  BucketAlreadyExists: code(
    409,
    "The requested bucket name is not available. The bucket namespace is shared by all users of the system. Select a different name and try again.",
    "BucketName",
  ),
  BucketAlreadyOwnedByYou: code(
    409,
    "The bucket that you tried to create already exists, and you own it.",
    "BucketName",
  ),
  BucketNotEmpty: code(
    409,
    "The bucket that you tried to delete is not empty. Delete its objects, versions and unfinished uploads first.",
    "BucketName",
  ),
  ConditionalRequestConflict: code(
    409,
    "The conditional request cannot succeed due to a conflicting operation against this resource. Try again.",
    "Key",
  ),
  EntityTooLarge: code(
    400,
    "Your proposed upload exceeds the maximum allowed object size.",
    "ProposedSize?",
    "MaxSizeAllowed?",
  ),
  EntityTooSmall: code(
    400,
    "Your proposed upload is smaller than the minimum allowed object size.",
    "ProposedSize",
    "MinSizeAllowed",
    "PartNumber?",
    "ETag?",
  ),
  ExpiredToken: code(400, "The provided token has expired."),
  IdempotencyParameterMismatch: code(
    400,
    "The client token was used before for a request with other parameters.",
  ),
  IllegalLocationConstraintException: code(
    400,
    "The location constraint is incompatible with the region of the endpoint this request was sent to.",
  ),
  IllegalVersioningConfigurationException: code(
    400,
    "The versioning configuration that you specified in the request is not valid.",
  ),
  IncompleteBody: code(
    400,
    "You did not provide the number of bytes specified by the Content-Length HTTP header.",
  ),
  InsufficientStorage: code(
    507,
    "There is not enough space left for this. Nothing was stored. Delete data or ask for more space.",
  ),
  InternalError: code(500, "We encountered an internal error. Please try again."),
  InvalidAccessKeyId: code(
    403,
    "The access key ID that you provided does not exist in our records.",
    "AWSAccessKeyId",
  ),
  InvalidArgument: code(400, "Invalid Argument", "ArgumentName", "ArgumentValue?"),
  InvalidBucketAclWithObjectOwnership: code(
    400,
    "Bucket cannot have ACLs set with ObjectOwnership's BucketOwnerEnforced setting",
  ),
  InvalidBucketName: code(400, "The specified bucket is not valid.", "BucketName"),
  InvalidBucketState: code(
    409,
    "The request is not valid for the current state of the bucket.",
    "BucketName",
  ),
  InvalidChunkSizeError: code(
    403,
    "Only the last chunk is allowed to have a size less than 8192 bytes.",
    "Chunk",
    "BadChunkSize",
  ),
  InvalidDigest: code(
    400,
    "The Content-MD5 or checksum value that you specified is not valid.",
    "Content-MD5",
  ),
  InvalidEncryptionAlgorithmError: code(
    400,
    "The encryption request that you specified is not valid. The valid value is AES256.",
    "ArgumentName",
    "ArgumentValue",
  ),
  InvalidLocationConstraint: code(
    400,
    "The specified location constraint is not valid.",
    "LocationConstraint",
  ),
  InvalidPart: code(
    400,
    "One or more of the specified parts could not be found. The part might not have been uploaded, or the specified entity tag might not have matched the part's entity tag.",
    "UploadId",
    "PartNumber",
    "ETag",
  ),
  InvalidPartNumber: code(
    416,
    "The requested partnumber is not satisfiable.",
    "PartNumberRequested",
    "ActualPartCount",
  ),
  InvalidPartOrder: code(
    400,
    "The list of parts was not in ascending order. The parts list must be specified in order by part number.",
    "UploadId",
  ),
  InvalidPolicyDocument: code(
    400,
    "The content of the form does not meet the conditions specified in the policy document.",
  ),
  InvalidRange: code(
    416,
    "The requested range is not satisfiable.",
    "RangeRequested",
    "ActualObjectSize",
  ),
  InvalidRedirectLocation: code(
    400,
    "The website redirect location must have a prefix of 'http://' or 'https://' or '/'.",
  ),
  InvalidRequest: code(400, "Invalid Request"),
  InvalidStorageClass: code(
    400,
    "The storage class that you specified is not valid.",
    "StorageClassRequested",
  ),
  InvalidTag: code(400, "The tag provided was not a valid tag.", "TagKey", "TagValue?"),
  InvalidToken: code(400, "The provided token is malformed or otherwise not valid."),
  InvalidURI: code(400, "Could not parse the specified URI."),
  KeyTooLongError: code(400, "Your key is too long.", "Size", "MaxSizeAllowed"),
  MalformedACLError: code(
    400,
    "The XML that you provided was not well-formed or did not validate against our published schema.",
  ),
  MalformedPOSTRequest: code(
    400,
    "The body of your POST request is not well-formed multipart/form-data.",
  ),
  MalformedPolicy: code(400, "The policy that you provided is not valid."),
  MalformedTrailerError: code(
    400,
    "The request contained trailing data that was not well-formed or did not conform to our published schema.",
  ),
  MalformedXML: code(
    400,
    "The XML that you provided was not well-formed or did not validate against our published schema.",
  ),
  MaxMessageLengthExceeded: code(400, "Your request was too large."),
  MaxPostPreDataLengthExceededError: code(
    400,
    "Your POST request fields preceding the upload file were too large.",
    "MaxPostPreDataLengthBytes",
  ),
  MetadataTooLarge: code(
    400,
    "Your metadata headers exceed the maximum allowed metadata size.",
    "Size",
    "MaxSizeAllowed",
  ),
  MethodNotAllowed: code(
    405,
    "The specified method is not allowed against this resource.",
    "Method",
    "ResourceType",
  ),
  MissingContentLength: code(411, "You must provide the Content-Length HTTP header."),
  MissingRequestBodyError: code(400, "Request body is empty."),
  MissingSecurityHeader: code(
    400,
    "Your request is missing a required header.",
    "MissingHeaderName",
  ),
  NoSuchBucket: code(404, "The specified bucket does not exist.", "BucketName"),
  NoSuchBucketPolicy: code(404, "The bucket policy does not exist", "BucketName"),
  NoSuchCORSConfiguration: code(404, "The CORS configuration does not exist", "BucketName"),
  NoSuchKey: code(404, "The specified key does not exist.", "Key"),
  NoSuchLifecycleConfiguration: code(
    404,
    "The lifecycle configuration does not exist",
    "BucketName",
  ),
  NoSuchPublicAccessBlockConfiguration: code(
    404,
    "The public access block configuration was not found",
    "BucketName",
  ),
  NoSuchTagSet: code(404, "The TagSet does not exist", "BucketName"),
  NoSuchUpload: code(
    404,
    "The specified multipart upload does not exist. The upload ID might not be valid, or the multipart upload might have been aborted or completed.",
    "UploadId",
  ),
  NoSuchVersion: code(
    404,
    "The version ID specified in the request does not match an existing version.",
    "Key",
    "VersionId",
  ),
  NotImplemented: code(
    501,
    "A header or query that you provided requests functionality that is not implemented.",
    "Operation",
  ),
  OperationAborted: code(
    409,
    "A conflicting conditional operation is currently in progress against this resource. Try again.",
  ),
  OwnershipControlsNotFoundError: code(
    404,
    "The bucket ownership controls were not found",
    "BucketName",
  ),
  PreconditionFailed: code(
    412,
    "At least one of the preconditions that you specified did not hold.",
    "Condition",
  ),
  RequestHeaderSectionTooLarge: code(
    400,
    "Your request header section exceeds the maximum allowed request header section size.",
    "MaxSizeAllowed",
  ),
  RequestTimeTooSkewed: code(
    403,
    "The difference between the request time and the server's time is too large. Set the clock of this machine.",
    "RequestTime",
    "ServerTime",
    "MaxAllowedSkewMilliseconds",
  ),
  RequestTimeout: code(
    400,
    "Your socket connection to the server was not read from or written to within the timeout period.",
  ),
  ServerSideEncryptionConfigurationNotFoundError: code(
    404,
    "The server side encryption configuration was not found",
    "BucketName",
  ),
  ServiceUnavailable: code(503, "Service is unable to handle request. Try again."),
  SignatureDoesNotMatch: code(
    403,
    "The request signature that the server calculated does not match the signature that you provided. Check your secret access key and signing method.",
    "AWSAccessKeyId",
    "StringToSign",
    "SignatureProvided",
    "StringToSignBytes",
    "CanonicalRequest?",
    "CanonicalRequestBytes?",
  ),
  SlowDown: code(503, "Please reduce your request rate."),
  TooManyBuckets: code(
    400,
    "You have attempted to create more buckets than allowed. An organization may have 1,000.",
  ),
  UnsupportedSignature: code(
    400,
    "The provided request is signed with an unsupported STS Token version or the signature version is not supported.",
  ),
  XAmzContentChecksumMismatch: code(
    400,
    "The provided checksum header does not match what was computed.",
  ),
  XAmzContentSHA256Mismatch: code(
    400,
    "The provided 'x-amz-content-sha256' header does not match what was computed.",
    "ClientComputedContentSHA256",
    "S3ComputedContentSHA256",
  ),
};

export type ErrorCode = keyof typeof CODES;

type Field<C extends ErrorCode> = (typeof CODES)[C]["fields"][number];
type Sometimes<F> = F extends `${infer Name}?` ? Name : never;

/** The elements `code` must carry, so a call site cannot forget one, and those that it may. */
export type ErrorDetail<C extends ErrorCode> = Readonly<
  Record<Exclude<Field<C>, `${string}?`>, string> & Partial<Record<Sometimes<Field<C>>, string>>
>;

/** Codes that carry this and nothing else, so that code may be passed about as data. */
export type CodeWith<Field extends string> = {
  [C in ErrorCode]: [keyof ErrorDetail<C>, Field] extends [Field, keyof ErrorDetail<C>] ? C : never;
}[ErrorCode];

interface ErrorOptions {
  readonly message?: string;
  readonly cause?: unknown;
  /** Headers that the answer carries besides, as `x-amz-delete-marker`. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** An expected failure. Thrown anywhere, caught once: in `s3/handle.ts`. */
export class S3Error<C extends ErrorCode = ErrorCode> extends Error {
  override readonly name = "S3Error";
  readonly code: C;
  readonly status: number;
  readonly detail: Readonly<Record<string, string>>;
  readonly headers: Readonly<Record<string, string>>;

  constructor(code: C, detail: ErrorDetail<C>, options: ErrorOptions = {}) {
    super(options.message ?? CODES[code].message, { cause: options.cause });
    this.code = code;
    this.status = CODES[code].status;
    this.detail = detail;
    this.headers = options.headers ?? {};
  }
}

/** InvalidArgument is the code S3 uses most; this spares its callers the field names. No value: it is not told. */
export function invalidArgument(
  name: string,
  value: string | undefined,
  message?: string,
): S3Error<"InvalidArgument"> {
  const detail = { ArgumentName: name, ...(value === undefined ? {} : { ArgumentValue: value }) };
  return new S3Error("InvalidArgument", detail, message === undefined ? {} : { message });
}

/**
 * What went wrong below us. `unavailable`: the outcome is unknown, read again; `full`: no space;
 * `corrupt`: stored bytes are not what was written; `conflict`: held by another process.
 */
export class StorageError extends Error {
  override readonly name = "StorageError";
  readonly kind: "unavailable" | "full" | "corrupt" | "conflict";

  constructor(kind: StorageError["kind"], message: string, cause?: unknown) {
    super(message, { cause });
    this.kind = kind;
  }
}

function code<F extends string = never>(status: number, message: string, ...fields: readonly F[]) {
  return { status, message, fields };
}
