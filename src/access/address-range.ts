import { BlockList, isIP, SocketAddress } from "node:net";

/** Addresses that share their first bits. An IPv4 address in IPv6 is the IPv4 address. */
export interface AddressRange {
  readonly family: "ipv4" | "ipv6";
  readonly address: string;
  /** How many bits they share. */
  readonly bits: number;
}

interface Address {
  readonly family: "ipv4" | "ipv6";
  readonly address: string;
}

const BITS = { ipv4: 32, ipv6: 128 } as const;
/** Bits that stand before an IPv4 address in IPv6. */
const MAPPED_BITS = 96;
const MAPPED = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/;
const RANGE = /^([^/]+)(?:\/(\d{1,3}))?$/;

/** Reads an address or a range, as `10.0.0.0/8`. Undefined when it is neither. */
export function readAddressRange(text: string): AddressRange | undefined {
  const [, host = "", length] = RANGE.exec(text) ?? [];
  const found = readAddress(host);
  if (found === undefined || host.includes("%")) return undefined;
  const written = host.includes(":") ? BITS.ipv6 : BITS.ipv4;
  const bits = length === undefined ? written : Number(length);
  if (bits > written) return undefined;
  if (written === BITS[found.family]) return { ...found, bits };
  if (bits >= MAPPED_BITS) return { ...found, bits: bits - MAPPED_BITS };
  return { family: "ipv6", address: host, bits };
}

/** A test of the addresses that requests come from. What is no address is in no range. */
export function rangeTest(range: AddressRange): (text: string) => boolean {
  const list = new BlockList();
  list.addSubnet(range.address, range.bits, range.family);
  return (text) => {
    const address = readAddress(text);
    return address?.family === range.family && list.check(address.address, address.family);
  };
}

function readAddress(text: string): Address | undefined {
  // A socket tells the interface of a link-local address after a percent sign.
  const host = text.split("%", 1)[0] ?? "";
  const version = isIP(host);
  if (version === 0) return undefined;
  if (version === 4) return { family: "ipv4", address: host };
  const { address } = new SocketAddress({ address: host, family: "ipv6" });
  const mapped = MAPPED.exec(address)?.[1];
  return mapped === undefined ? { family: "ipv6", address } : { family: "ipv4", address: mapped };
}

/** Private networks, of which no part of the internet is a part. Spec: RFC 1918, RFC 4193. */
const PRIVATE = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7"].map((text) => {
  const range = readAddressRange(text);
  return { bits: range?.bits ?? 0, test: range === undefined ? () => false : rangeTest(range) };
});
const NARROW_BITS = { ipv4: 8, ipv6: 32 } as const;

/**
 * Whether a range is so wide that to allow it is to allow the public.
 *
 * Spec: https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html
 */
export function isWide({ family, address, bits }: AddressRange): boolean {
  if (PRIVATE.some((own) => bits >= own.bits && own.test(address))) return false;
  return bits < NARROW_BITS[family];
}
