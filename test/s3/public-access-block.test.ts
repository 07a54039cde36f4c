import { bucketDocumentLaws } from "#test/s3/bucket-document.ts";

bucketDocumentLaws({
  name: "PublicAccessBlock",
  query: "publicAccessBlock",
  root: "PublicAccessBlockConfiguration",
  put: "<BlockPublicPolicy>TRUE</BlockPublicPolicy><IgnorePublicAcls>false</IgnorePublicAcls>",
  got: "<BlockPublicAcls>false</BlockPublicAcls><IgnorePublicAcls>false</IgnorePublicAcls><BlockPublicPolicy>true</BlockPublicPolicy><RestrictPublicBuckets>false</RestrictPublicBuckets>",
  other: "<BlockPublicAcls>true</BlockPublicAcls>",
  putStatus: 200,
  missing: "NoSuchPublicAccessBlockConfiguration",
  refused: [
    {
      why: "a switch that is neither on nor off",
      body: "<PublicAccessBlockConfiguration><BlockPublicAcls>maybe</BlockPublicAcls></PublicAccessBlockConfiguration>",
      code: "MalformedXML",
    },
  ],
});
