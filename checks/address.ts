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
  const inner = ip instanceof ipaddr.IPv6 ? embeddedIpv4(ip) : null;
  if (inner === null) return null;
  const innerKind = inner.range() === 'loopback' ? 'loopback' : neverAllowed(inner);
  return innerKind === null ? null : `${inner.toString()}, ${innerKind}, embedded in an IPv6 address`;
}

/** The IPv4 address that a translated or tunnelled one leads to: RFC 4291 ::/96, 6052, 6145, 3056. */
function embeddedIpv4(ip: ipaddr.IPv6): ipaddr.IPv4 | null {
  const bytes = ip.toByteArray();
  const range: string = ip.range();
  if (range === '6to4') return new ipaddr.IPv4(bytes.slice(2, 6));
  const compatible = range !== 'loopback' && bytes.slice(0, 12).every((byte) => byte === 0);
  if (range === 'rfc6052' || range === 'rfc6145' || compatible) return new ipaddr.IPv4(bytes.slice(12));
  return null;
}
