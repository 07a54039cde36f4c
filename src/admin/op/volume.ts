import { z } from "zod";
import {
  empty,
  message,
  text,
  timestamp,
  timestampOf,
  uint32,
  uint64,
  uint64Text,
} from "#admin/message.ts";
import { type Operation, operation, type Services } from "#admin/operation.ts";
import { nextPageToken, pageFields, pageOf } from "#admin/page.ts";
import { ControlError } from "#base/control-error.ts";
import { S3Error } from "#base/error.ts";
import { randomBelow } from "#base/random.ts";
import type { Bucket, VolumeSettings } from "#object/bucket.ts";
import { isBucketName, newBucketName } from "#object/name.ts";

const ID_CHARS = "abcdefghijklmnopqrstuvwxyz0123456789";
const ID_LENGTH = 10;
const UMASK = /^[0-7]{3}$/;

const volumeView = z.object({
  volumeId: text.describe("the name of its bucket"),
  name: text,
  path: text,
  location: text.describe("its data centre, which is its region"),
  orgId: text,
  sizeBytes: uint64Text.optional().describe("what it may hold; absent: what the disk holds"),
  usedBytes: uint64Text.optional().describe("absent until it was measured"),
  uid: z.number().optional(),
  gid: z.number().optional(),
  umask: text,
  creationTime: timestamp,
});

const createVolume = operation({
  name: "CreateVolume",
  summary: "Serve a directory of the server as a bucket. What is in it stays as it is.",
  method: "POST",
  path: "/v1/lode/volume",
  needs: "operator",
  input: message({
    orgId: text.optional().describe("whose it is; the first when it is left out"),
    volumeId: text.optional().describe("the bucket's name; made when it is left out"),
    name: text.optional().describe("for people"),
    path: text.describe("an existing directory of the server"),
    location: text.optional(),
    sizeBytes: uint64.optional(),
    uid: uint32.optional().describe("of files that S3 makes; the server's own when it is left out"),
    gid: uint32.optional(),
    umask: text.regex(UMASK, { error: "give three octal digits, as 022" }).default("022"),
  }),
  output: volumeView,
  run: async (services, input) => {
    const { catalog, volumes, region, organizationId } = services;
    const { volumeId = newId(), orgId = organizationId, name = volumeId } = input;
    await services.organizations.get(orgId);
    const path = await volumes.directory(input.path);
    await volumes.requireFree(path);
    const { sizeBytes, uid, gid } = input;
    const umask = Number.parseInt(input.umask, 8);
    const settings: VolumeSettings = { name, path, sizeBytes, uid, gid, umask };
    const bucketName = checkedName(volumeId);
    await volumes.try(settings);
    try {
      const owner = { id: orgId, region: input.location ?? region };
      await catalog.create(bucketName, owner, { volume: settings });
    } catch (cause) {
      if (!(cause instanceof S3Error)) throw cause;
      throw new ControlError("AlreadyExists", `"${volumeId}": ${cause.message}`, { cause });
    }
    return await shown(services, await catalog.bucket(bucketName));
  },
});

const listVolumes = operation({
  name: "ListVolumes",
  summary: "List the volumes of the organization.",
  method: "GET",
  path: "/v1/lode/volume",
  needs: "operator",
  input: message(pageFields),
  output: z.object({ volumes: z.array(volumeView), nextPageToken }),
  run: async (services, wanted) => {
    const { catalog, clock, organizationId } = services;
    const source = async (ask: { readonly after: string; readonly limit: number }) => {
      const { buckets, next } = await catalog.list({ ...ask, organizationId, prefix: "" });
      return { items: buckets, next };
    };
    const keep = ({ volume }: Bucket) => volume !== undefined;
    const { items, nextPageToken } = await pageOf(source, { ...wanted, keep }, clock);
    return {
      volumes: await Promise.all(items.map((each) => shown(services, each))),
      nextPageToken,
    };
  },
});

const getVolume = operation({
  name: "GetVolume",
  summary: "Tell about a volume.",
  method: "GET",
  path: "/v1/lode/volume/{volumeId}",
  needs: "operator",
  input: message({ volumeId: text }),
  output: volumeView,
  run: async (services, { volumeId }) => await shown(services, await find(services, volumeId)),
});

const resizeVolume = operation({
  name: "ResizeVolume",
  summary: "Say how much a volume may hold; without a size: what its disk holds.",
  method: "PUT",
  path: "/v1/lode/volume/{volumeId}/size",
  needs: "operator",
  input: message({ volumeId: text, sizeBytes: uint64.optional() }),
  output: volumeView,
  run: async (services, { volumeId, sizeBytes }) => {
    const bucket = await find(services, volumeId);
    await services.catalog.setVolume(bucket, { ...bucket.volume, sizeBytes });
    return await shown(services, await find(services, volumeId));
  },
});

const removeVolume = operation({
  name: "RemoveVolume",
  summary: "Serve a directory no longer. Its files stay as they are.",
  method: "DELETE",
  path: "/v1/lode/volume/{volumeId}",
  needs: "operator",
  input: message({ volumeId: text }),
  output: empty,
  run: async (services, { volumeId }) => {
    await services.catalog.removeVolume(await find(services, volumeId));
    return {};
  },
});

export const volumeOperations: readonly Operation[] = [
  createVolume,
  getVolume,
  listVolumes,
  removeVolume,
  resizeVolume,
];

type VolumeBucket = Bucket & { readonly volume: VolumeSettings };

/** Of any organization: the operator names the volume. Fails: NotFound. */
async function find({ catalog }: Services, volumeId: string): Promise<VolumeBucket> {
  const bucket = isBucketName(volumeId) ? await catalog.find(volumeId) : undefined;
  const volume = bucket?.volume;
  if (bucket === undefined || volume === undefined) {
    throw new ControlError("NotFound", `volume "${volumeId}" not found`);
  }
  return { ...bucket, volume };
}

async function shown({ volumes }: Services, bucket: Bucket): Promise<z.input<typeof volumeView>> {
  const { volume } = bucket;
  const { name = "", path = "", sizeBytes, uid, gid, umask = 0 } = volume ?? {};
  const used = await volumes.usedBytes(bucket);
  return {
    volumeId: bucket.name,
    name,
    path,
    location: bucket.region,
    orgId: bucket.organizationId,
    sizeBytes: sizeBytes === undefined ? undefined : String(sizeBytes),
    usedBytes: used === undefined ? undefined : String(used),
    uid,
    gid,
    umask: umask.toString(8).padStart(3, "0"),
    creationTime: timestampOf(bucket.createdMs),
  };
}

function newId(): string {
  const chars = Array.from({ length: ID_LENGTH }, () => ID_CHARS[randomBelow(ID_CHARS.length)]);
  return chars.join("");
}

/** Fails: InvalidArgument. */
function checkedName(volumeId: string) {
  try {
    return newBucketName(volumeId);
  } catch (cause) {
    if (!(cause instanceof S3Error)) throw cause;
    throw new ControlError("InvalidArgument", `volumeId "${volumeId}": ${cause.message}`, {
      cause,
    });
  }
}
