/** What stands under each letter of the control plane, each packed by base/json-record.ts; what tells its id from the others'. */
export const CONTROL_RECORDS = {
  A: "an assertion that was used",
  F: "the federations of organization",
  K: "access key",
  M: "the first administrator",
  O: "organization",
  P: "the policies and limits of organization",
  T: "API token",
  U: "user",
  X: "the revoked sessions of organization",
  Z: "zones",
  a: "the end of an assertion",
  d: "a document of bucket",
  k: "the index of access keys",
} as const;

export type ControlLetter = keyof typeof CONTROL_RECORDS;
