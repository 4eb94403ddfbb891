import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';

/** An address that was read; its text form is canonical. */
export type Ip = ipaddr.IPv4 | ipaddr.IPv6;

/** Metadata services outside link-local: AWS, Google, Azure, Oracle and Alibaba, from their vendors' pages. */
const METADATA: ReadonlySet<string> = new Set([
  'fd00:ec2::254',
  'fd00:ec2::253',
  'fd00:ec2::23',
  'fd20:ce::254',
  '168.63.129.16',
  '192.0.0.192',
  '100.100.100.200',
]);

const NEVER: Record<string, string> = {
  linkLocal: 'a link-local address',
  multicast: 'a multicast address',
  broadcast: 'the broadcast address',
  unspecified: 'the unspecified address',
};

/** An address as it is judged and connected to: IPv4-mapped IPv6 as IPv4, no zone. Null when the text is none. */
export function readAddress(text: string): Ip | null {
  if (isIP(text) === 0) return null;
  const ip = ipaddr.process(text);
  return ip instanceof ipaddr.IPv6 ? new ipaddr.IPv6(ip.toByteArray()) : ip;
}

/** A range of addresses: those that share its first bits. */
export type AddressRange = readonly [Ip, bits: number];

/** Reads a CIDR or a single address; null when the text is neither. */
export function readRange(text: string): AddressRange | null {
  const [base = '', bits, more] = text.split('/');
  const ip = readAddress(base);
  if (ip === null || more !== undefined) return null;
  const width = ip instanceof ipaddr.IPv4 ? 32 : 128;
  if (bits === undefined) return [ip, width];
  if (!/^\d{1,3}$/.test(bits)) return null;
  // a mapped range counts its bits from the IPv6 end
  const kept = isIP(base) === 6 && width === 32 ? Number(bits) - 96 : Number(bits);
  return kept >= 0 && kept <= width ? [ip, kept] : null;
}

/** Whether the address lies in the range; never when it is of the other family. */
export function covers([range, bits]: AddressRange, ip: Ip): boolean {
  if (range instanceof ipaddr.IPv4) return ip instanceof ipaddr.IPv4 && ip.match(range, bits);
  return ip instanceof ipaddr.IPv6 && ip.match(range, bits);
}

/** Whether the address is one of these; texts that are no address are none. */
export function isOneOf(ip: Ip, addresses: readonly string[]): boolean {
  const shown = ip.toString();
  return addresses.some((address) => readAddress(address)?.toString() === shown);
}

/** Why nobody may ever have this address looked at, as the end of "it is …"; null when it is an ordinary one. */
export function neverAllowed(ip: Ip): string | null {
  const kind = NEVER[ip.range()];
  if (kind !== undefined) return kind;
  if (METADATA.has(ip.toString())) return "a cloud's metadata service";
  for (const inner of embeddedIpv4(ip)) {
    const innerKind = inner.range() === 'loopback' ? 'loopback' : neverAllowed(inner);
    if (innerKind !== null) return `${inner.toString()}, ${innerKind}, embedded in an IPv6 address`;
  }
  return null;
}

/**
 * The IPv4 addresses that a translated or tunnelled one may lead to: RFC 4291 ::/96, 6052 and 6145 (NAT64, SIIT), 8215 (local
 * NAT64, by a prefix of 48, 56, 64 or 96 bits), 3056 (6to4), 4380 (Teredo), 5214 (ISATAP).
 */
export function embeddedIpv4(ip: Ip): ipaddr.IPv4[] {
  if (ip instanceof ipaddr.IPv4 || ip.range() === 'loopback') return [];
  const bytes = ip.toByteArray();
  const startsWith = (...head: number[]) => head.every((byte, index) => bytes[index] === byte);
  const last = bytes.slice(12);
  const found: number[][] = [];
  const range: string = ip.range();
  if (range === 'rfc6052' || range === 'rfc6145' || bytes.slice(0, 12).every((byte) => byte === 0)) found.push(last);
  if (startsWith(0, 0x64, 0xff, 0x9b, 0, 1)) {
    // RFC 6052 2.2: the ninth byte is none of the IPv4 address
    const unpadded = [...bytes.slice(6, 8), ...bytes.slice(9, 13)];
    found.push(last, unpadded.slice(0, 4), unpadded.slice(1, 5), unpadded.slice(2));
  }
  if (startsWith(0x20, 0x02)) found.push(bytes.slice(2, 6));
  if (startsWith(0x20, 0x01, 0, 0))
    found.push(
      bytes.slice(4, 8),
      last.map((byte) => byte ^ 0xff),
    );
  if ((bytes[8] === 0 || bytes[8] === 2) && bytes[9] === 0 && bytes[10] === 0x5e && bytes[11] === 0xfe)
    found.push(last);
  return found.map((four) => new ipaddr.IPv4(four));
}
