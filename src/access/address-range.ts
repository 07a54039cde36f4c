import { isIP, SocketAddress } from "node:net";

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
export function rangeTest({ family, address, bits }: AddressRange): (text: string) => boolean {
  const wanted = bytesOf({ family, address });
  return (text) => {
    const given = lastAddress(text);
    return given?.family === family && sharesBits(given.bytes, wanted, bits);
  };
}

type Bytes = readonly number[];
type Given = Pick<Address, "family"> & { readonly bytes: Bytes };

let lastText = "";
let lastGiven: Given | undefined;

/** All conditions on addresses that one request meets ask about one, and to read it costs the most. */
function lastAddress(text: string): Given | undefined {
  if (text === lastText) return lastGiven;
  const address = readAddress(text);
  lastGiven = address && { family: address.family, bytes: bytesOf(address) };
  lastText = text;
  return lastGiven;
}

function sharesBits(given: Bytes, wanted: Bytes, bits: number): boolean {
  const whole = bits >> 3;
  for (let at = 0; at < whole; at += 1) if (given[at] !== wanted[at]) return false;
  const rest = bits & 7;
  return rest === 0 || ((given[whole] ?? 0) ^ (wanted[whole] ?? 0)) >> (8 - rest) === 0;
}

/** The 4 or 16 bytes of an address. */
function bytesOf({ family, address }: Address): Bytes {
  if (family === "ipv4") return address.split(".").map(Number);
  const canonical = new SocketAddress({ address, family }).address;
  const [first = [], last = []] = canonical.split("::", 2).map(groupBytes);
  return [...first, ...Array.from({ length: 16 - first.length - last.length }, () => 0), ...last];
}

/** Two bytes a group; an IPv4 address may stand for the last two groups. */
function groupBytes(groups: string): Bytes {
  if (groups === "") return [];
  return groups.split(":").flatMap((group) => {
    if (group.includes(".")) return group.split(".").map(Number);
    const value = Number.parseInt(group, 16);
    return [value >> 8, value & 0xff];
  });
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
