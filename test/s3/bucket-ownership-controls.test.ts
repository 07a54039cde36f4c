import { bucketDocumentLaws } from "#test/s3/bucket-document.ts";

const RULE = (ownership: string) => `<Rule><ObjectOwnership>${ownership}</ObjectOwnership></Rule>`;
const WHOLE = (inner: string) => `<OwnershipControls>${inner}</OwnershipControls>`;

bucketDocumentLaws({
  name: "BucketOwnershipControls",
  query: "ownershipControls",
  root: "OwnershipControls",
  put: ` ${RULE("BucketOwnerEnforced")} `,
  got: RULE("BucketOwnerEnforced"),
  other: undefined,
  putStatus: 200,
  missing: "OwnershipControlsNotFoundError",
  refused: [
    { why: "no rule", body: WHOLE(""), code: "MalformedXML" },
    {
      why: "a second rule",
      body: WHOLE(RULE("BucketOwnerEnforced").repeat(2)),
      code: "MalformedXML",
    },
    { why: "an unknown ownership", body: WHOLE(RULE("Nobody")), code: "MalformedXML" },
    { why: "ObjectWriter", body: WHOLE(RULE("ObjectWriter")), status: 501, code: "NotImplemented" },
  ],
});
