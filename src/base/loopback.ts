import { isIPv4 } from "node:net";

/** Whether it is this machine alone, by a name that no resolver may answer otherwise, or by an address. */
export function isLoopback(host: string): boolean {
  const address = host.replace(MAPPED, "");
  return (
    host.toLowerCase() === "localhost" ||
    host === "::1" ||
    (isIPv4(address) && address.startsWith("127."))
  );
}

/** An address of version 4, as a socket of version 6 tells it. */
const MAPPED = /^::ffff:/i;
