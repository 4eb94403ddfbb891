import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';

type Ip = ipaddr.IPv4 | ipaddr.IPv6;
export type AddressRange = readonly [Ip, number];

export interface EgressSettings {
  /** CHECK_TARGETS_ALLOW: CIDRs or single addresses that checks may reach besides the VM's own. */
  allow: readonly string[];
  /** Ports of Defib's own parts (API, Temporal, its UI, Postgres). Read at each decision: ports may be added later. */
  ownPorts: ReadonlySet<number>;
  /** Other machines those parts run on (host names or addresses); this machine always counts. */
  ownHosts?: readonly string[];
}

export interface EgressContext {
  allow: readonly AddressRange[];
  ownPorts: ReadonlySet<number>;
  /** Addresses of the machines Defib's parts run on; asked for only when the port is one of theirs. */
  ownAddresses: readonly string[];
  /** What the VM's own address resolves to. */
  vmAddresses: readonly string[];
}

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

/** Defib's other machines as a resolver takes them: as URLs write IPv6, in brackets, none would. */
export function ownHostsOf(settings: EgressSettings): string[] {
  return (settings.ownHosts ?? []).map((host) => host.replace(/^\[|\]$/g, ''));
}

/** Reads CHECK_TARGETS_ALLOW; throws one error that names every entry that is neither a CIDR nor an address. */
export function readAllowList(entries: readonly string[]): AddressRange[] {
  const read = entries.map((entry) => readRange(entry.trim()));
  const wrong = entries.filter((_, index) => read[index] === null);
  if (wrong.length > 0) {
    throw new Error(
      `CHECK_TARGETS_ALLOW: not a CIDR or an IP address: ${wrong.join(', ')}. Write them like 127.0.0.0/8, fd00::/8.`,
    );
  }
  return read.filter((range) => range !== null);
}

/** Why nobody may ever have this address looked at, as the end of "it is …"; null when it is an ordinary one. */
export function neverAllowed(ip: Ip): string | null {
  const kind = NEVER[ip.range()];
  if (kind !== undefined) return kind;
  if (METADATA.has(ip.toString())) return "a cloud's metadata service";
  const inner = ip instanceof ipaddr.IPv6 ? embeddedIpv4(ip) : null;
  if (inner === null) return null;
  const innerKind = inner.range() === 'loopback' ? 'loopback' : neverAllowed(inner);
  return innerKind === null ? null : `${inner.toString()}, ${innerKind}, in IPv6 clothes`;
}

/**
 * May a check connect to this address and port? Null when it may, else the sentence that says why not and what would
 * change that. The rules, in order: never-addresses, Defib's own ports, the VM's own address (loopback excepted), the
 * allow list.
 */
export function refusal(ip: Ip, port: number | null, context: EgressContext): string | null {
  const shown = ip.toString();
  const never = neverAllowed(ip);
  if (never !== null) return `Refused: ${shown} is ${never}, and no check may ever connect there.`;
  const loopback = ip.range() === 'loopback';
  if (port !== null && context.ownPorts.has(port) && (loopback || isOneOf(ip, context.ownAddresses))) {
    return `Refused: port ${port} on ${shown} belongs to Defib itself, and no check may ever connect there.`;
  }
  if (!loopback && isOneOf(ip, context.vmAddresses)) return null;
  if (context.allow.some((range) => covers(range, ip))) return null;
  return loopback
    ? `Refused: ${shown} is the machine Defib runs on; to let checks connect there, add it to CHECK_TARGETS_ALLOW.`
    : `Refused: ${shown} is not an address of this VM; to let checks connect there, add it to CHECK_TARGETS_ALLOW.`;
}

function isOneOf(ip: Ip, addresses: readonly string[]): boolean {
  const shown = ip.toString();
  return addresses.some((address) => readAddress(address)?.toString() === shown);
}

function covers([range, bits]: AddressRange, ip: Ip): boolean {
  if (range instanceof ipaddr.IPv4) return ip instanceof ipaddr.IPv4 && ip.match(range, bits);
  return ip instanceof ipaddr.IPv6 && ip.match(range, bits);
}

function readRange(text: string): AddressRange | null {
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

/** The IPv4 address that a translated or tunnelled one leads to: RFC 4291 ::/96, 6052, 6145, 3056. */
function embeddedIpv4(ip: ipaddr.IPv6): ipaddr.IPv4 | null {
  const bytes = ip.toByteArray();
  const range: string = ip.range();
  if (range === '6to4') return new ipaddr.IPv4(bytes.slice(2, 6));
  const compatible = range !== 'loopback' && bytes.slice(0, 12).every((byte) => byte === 0);
  if (range === 'rfc6052' || range === 'rfc6145' || compatible) return new ipaddr.IPv4(bytes.slice(12));
  return null;
}
