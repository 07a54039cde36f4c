/**
 * Does what the commands of docs/access.md and docs/federation.md ask of `aws`, for where the AWS CLI is
 * not installed; where it is, test/clients runs access.md, and what federation.md does, with it.
 */
import { readFileSync } from "node:fs";
import { text } from "node:stream/consumers";
import {
  CopyObjectCommand,
  CreateBucketCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  ListBucketsCommand,
  ListObjectsV2Command,
  PutBucketPolicyCommand,
  PutObjectCommand,
  S3Client,
} from "@aws-sdk/client-s3";
import { signedHeaders } from "#test/support/sign.ts";

const s3 = new S3Client({ forcePathStyle: true, maxAttempts: 1 });
const [service = "", command = "", ...rest] = process.argv.slice(2);

try {
  process.stdout.write(await answer());
} catch (cause) {
  process.stderr.write(`${cause}\n`);
  process.exitCode = 1;
}

async function answer(): Promise<string> {
  const [from = "", to = ""] = rest;
  switch (`${service} ${command}`) {
    case "s3 mb":
      await s3.send(new CreateBucketCommand({ Bucket: place(from).Bucket }));
      return "";
    case "s3 ls":
      return await list(from);
    case "s3 rm":
      await s3.send(new DeleteObjectCommand(place(from)));
      return "";
    case "s3 cp":
      return await copy(from, to);
    case "s3api put-bucket-policy":
      return await putPolicy();
    case "sts get-caller-identity":
      return await callerIdentity();
    default:
      throw new Error(`this stand-in has no ${service} ${command}`);
  }
}

async function list(from: string): Promise<string> {
  if (from === "") {
    const { Buckets = [] } = await s3.send(new ListBucketsCommand());
    return Buckets.map(({ Name }) => `${Name}\n`).join("");
  }
  const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket: place(from).Bucket }));
  return Contents.map(({ Key }) => `${Key}\n`).join("");
}

async function copy(from: string, to: string): Promise<string> {
  if (to === "-") {
    const { Body } = await s3.send(new GetObjectCommand(place(from)));
    return (await Body?.transformToString()) ?? "";
  }
  if (from === "-") {
    await s3.send(new PutObjectCommand({ ...place(to), Body: await text(process.stdin) }));
    return "";
  }
  const { Bucket, Key } = place(from);
  await s3.send(new CopyObjectCommand({ ...place(to), CopySource: `${Bucket}/${Key}` }));
  return "";
}

async function putPolicy(): Promise<string> {
  const given = (name: string) => rest[rest.indexOf(name) + 1] ?? "";
  const Policy = readFileSync(given("--policy").replace("file://", ""), "utf8");
  await s3.send(new PutBucketPolicyCommand({ Bucket: given("--bucket"), Policy }));
  return "";
}

async function callerIdentity(): Promise<string> {
  const { accessKeyId, secretAccessKey, sessionToken } = await s3.config.credentials();
  const url = `${process.env["AWS_ENDPOINT_URL"]}/`;
  const body = "Action=GetCallerIdentity&Version=2011-06-15";
  const who = { accessKeyId, secret: secretAccessKey, ...(sessionToken && { sessionToken }) };
  const headers = signedHeaders({ ...who, service: "sts", method: "POST", url, body });
  const reply = await fetch(url, { method: "POST", headers, body });
  const answer = await reply.text();
  if (!reply.ok) throw new Error(answer);
  return `${answer}\n`;
}

function place(url: string): { readonly Bucket: string; readonly Key: string } {
  const [, Bucket = "", Key = ""] = /^s3:\/\/([^/]+)\/?(.*)$/.exec(url) ?? [];
  return { Bucket, Key };
}
