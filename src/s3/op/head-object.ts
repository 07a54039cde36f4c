import { findForRead, grantsOfRead, notModified, parseRead, readReply } from "#s3/op/get-object.ts";
import { operation } from "#s3/operation.ts";

/** GetObject without the bytes. Spec: https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadObject.html */
export const headObject = operation({
  name: "HeadObject",
  route: { method: "HEAD", on: "object" },
  body: "none",
  parse: parseRead,
  grants: grantsOfRead,

  run: findForRead,

  render: ({ object, selection, expiration }, ask) =>
    selection === undefined
      ? notModified(object.info)
      : readReply(object.info, selection, { ...ask, expiration }),
});
