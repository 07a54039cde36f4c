import { childText, readXml } from "#base/xml.ts";

/** The switches of a bucket's public access block that speak of policies. */
export interface PublicAccess {
  /** A public policy cannot be put. */
  readonly blockPublicPolicy: boolean;
  /** A public policy lets in nobody of elsewhere. */
  readonly restrictPublicBuckets: boolean;
}

/** Reads the bucket document of that name; without one, both are off. */
export function readPublicAccess(text: string | undefined): PublicAccess {
  if (text === undefined) return { blockPublicPolicy: false, restrictPublicBuckets: false };
  const root = readXml(text);
  const isOn = (name: string) => childText(root, name) === "true";
  return {
    blockPublicPolicy: isOn("BlockPublicPolicy"),
    restrictPublicBuckets: isOn("RestrictPublicBuckets"),
  };
}
