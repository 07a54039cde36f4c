import { grantsOfRead, notModified, parseRead, readReply, select } from "#s3/op/get-object.ts";
import { operation } from "#s3/operation.ts";

/** GetObject without the bytes. Spec: https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadObject.html */
export const headObject = operation({
  name: "HeadObject",
  route: { method: "HEAD", on: "object" },
  body: "none",
  parse: parseRead,
  grants: grantsOfRead,

  run: async ({ open }, ask) => {
    const { bucket, engine } = await open(ask.name.bucket);
    const object = await engine.get({ ...ask.name, bucket });
    return { object, selection: await select(object, ask) };
  },

  render: ({ object, selection }, ask) =>
    selection === undefined ? notModified(object.info) : readReply(object.info, selection, ask),
});
