/** The AWS SDK for JavaScript against a real server: http and https, both addressing styles. */
import { test } from "node:test";
import { conditions } from "#test/clients/aws-sdk-js/conditions.ts";
import { openDoors } from "#test/clients/aws-sdk-js/door.ts";
import { encryption } from "#test/clients/aws-sdk-js/encryption.ts";
import { features } from "#test/clients/aws-sdk-js/features.ts";
import { listing } from "#test/clients/aws-sdk-js/listing.ts";
import { multipart } from "#test/clients/aws-sdk-js/multipart.ts";
import { objects } from "#test/clients/aws-sdk-js/objects.ts";
import { presigned } from "#test/clients/aws-sdk-js/presigned.ts";
import { rename } from "#test/clients/aws-sdk-js/rename.ts";
import { versions } from "#test/clients/aws-sdk-js/versions.ts";
import { makeCertificate } from "#test/clients/certificate.ts";

const SCENARIOS = {
  ...{ objects, multipart, listing, conditions, presigned },
  ...{ versions, rename, features, encryption },
};

for (const scheme of ["http", "https"] as const) {
  test(`the AWS SDK for JavaScript over ${scheme}`, async (t) => {
    const certificate = scheme === "https" ? await makeCertificate() : undefined;
    if (scheme === "https" && certificate === undefined) {
      t.skip("there is no openssl to make a certificate with");
      return;
    }
    for (const door of await openDoors(t, certificate)) {
      for (const [name, scenario] of Object.entries(SCENARIOS)) {
        const title = `${name}, ${door.addressing} style`;
        await t.test(title, (subtest) => scenario(subtest, door));
      }
    }
  });
}
