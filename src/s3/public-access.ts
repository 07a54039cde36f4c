import { childText, readXml } from "#base/xml.ts";

/** Whether a bucket's public access block, if it has one, says that no public policy can be put. */
export function blocksPublicPolicies(document: string | undefined): boolean {
  if (document === undefined) return false;
  return childText(readXml(document), "BlockPublicPolicy") === "true";
}
