/** Spec: https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html */
export function bucketArn(bucket: string): string {
  return `arn:aws:s3:::${bucket}`;
}
