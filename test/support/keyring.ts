import { Keyring } from "#base/keyring.ts";

/** A ring of one key that every run has. */
export const TEST_KEYRING = Keyring.fromHex(["5a".repeat(32)]);
