import { rangeTest, readAddressRange } from "#access/address-range.ts";

/**
 * What may be reached at an address. `private`: machines of whoever runs this one; `never`: no issuer of
 * tokens, whoever configured it, among them the link-local addresses at which clouds give out secrets.
 */
export type AddressKind = "public" | "private" | "never";

/** Spec: https://www.iana.org/assignments/iana-ipv4-special-registry and iana-ipv6-special-registry */
const isPrivate = testOf(
  "10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 172.16.0.0/12 192.168.0.0/16 ::1 fc00::/7",
);
const isNever = testOf(`0.0.0.0/8 169.254.0.0/16 192.0.0.0/24 192.0.2.0/24 192.88.99.0/24
  198.18.0.0/15 198.51.100.0/24 203.0.113.0/24 224.0.0.0/3 2001::/23 2001:db8::/32 2002::/16
  3fff::/20`);
/** IPv4, and what of IPv6 has been given out to be reached from everywhere. */
const isGiven = testOf("0.0.0.0/0 2000::/3");
/** IPv6 that a translator makes IPv4 of. */
const TRANSLATED = "64:ff9b::/96";
const isTranslated = testOf(TRANSLATED);

/** Of an IPv4 or IPv6 address; an IPv4 address that is written in IPv6 is the IPv4 address. */
export function addressKind(address: string): AddressKind {
  const meant = isTranslated(address) ? translated(address) : address;
  if (isPrivate(meant)) return "private";
  return isGiven(meant) && !isNever(meant) ? "public" : "never";
}

/** The last 32 bits, which a URL writes as two groups of hexadecimal digits. */
function translated(address: string): string {
  const [high = "0", low = "0"] = new URL(`http://[${address}]`).hostname
    .slice(1, -1)
    .slice(TRANSLATED.indexOf("::"))
    .split(":")
    .filter((group) => group !== "")
    .map((group) => Number.parseInt(group, 16))
    .slice(-2);
  const bits = Number(high) * 2 ** 16 + Number(low);
  return [24, 16, 8, 0].map((shift) => (bits >>> shift) & 0xff).join(".");
}

function testOf(ranges: string): (address: string) => boolean {
  const tests = ranges.split(/\s+/).map((text) => {
    const range = readAddressRange(text);
    return range === undefined ? () => false : rangeTest(range);
  });
  return (address) => tests.some((test) => test(address));
}
