/** One thing an operation wants to do, in the vocabulary of policies. */
export interface Grant {
  readonly action: `s3:${string}`;
  /** `*`, `bucket` or `bucket/key`, without the arn prefix. */
  readonly resource: string;
  /** Of the object that is acted on; undefined: the current one. Conditions see no other. */
  readonly versionId?: string | undefined;
}
