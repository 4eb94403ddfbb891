import { type AddressRange, covers, type Ip, isOneOf, neverAllowed, readAddress, readRange } from './address.ts';

/** Where a check connects; `port` is null for ICMP. */
export interface Endpoint {
  host: string;
  port: number | null;
}

export type OwnPorts = Pick<ReadonlySet<number>, 'has'>;

/** What an installation sets of where checks may connect. */
export interface EgressSettings {
  /** CHECK_TARGETS_ALLOW: CIDRs or single addresses that checks may reach besides the VM's own. */
  allow: readonly string[];
  /** Ports of Defib's own parts (API, Temporal, its UI, Postgres). Asked at each decision: they may change. */
  ownPorts: OwnPorts;
  /** Other machines those parts run on (host names or addresses); this machine always counts. */
  ownHosts?: readonly string[];
}

/** What one decision is made from, once names are resolved. */
export interface EgressContext {
  allow: readonly AddressRange[];
  ownPorts: OwnPorts;
  /** Addresses of the machines Defib's parts run on; asked for only when the port is one of theirs. */
  ownAddresses: readonly string[];
  /** What the VM's own address resolves to. */
  vmAddresses: readonly string[];
}

/** Defib's other machines as a resolver takes them: IPv6 without the brackets that URLs put around it. */
export function ownHostsOf(settings: EgressSettings): string[] {
  return (settings.ownHosts ?? []).map((host) => host.replace(/^\[|\]$/g, ''));
}

/**
 * Reads CHECK_TARGETS_ALLOW.
 * @throws one error that names every entry that is neither a CIDR nor an address
 */
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

/**
 * Why `refusal` would refuse this endpoint, as far as that is known without a resolver: literal addresses, `localhost`, and
 * Defib's own machines by name. Null for all else; each probe still decides. `machineAddresses` are those of the machine
 * that probes.
 * @throws when the allow list can't be read
 */
export function foreseeableRefusal(
  settings: EgressSettings,
  { host, port }: Endpoint,
  vmAddress: string | null,
  machineAddresses: readonly string[],
): string | null {
  const ownHosts = ownHostsOf(settings);
  if (port !== null && settings.ownPorts.has(port) && ownHosts.map(plainName).includes(plainName(host))) {
    return `Refused: port ${port} on ${host} belongs to Defib itself, and no check may ever connect there.`;
  }
  const ip = literal(host);
  const vmIp = vmAddress === null ? null : literal(vmAddress);
  if (ip === null) return null;
  return refusal(ip, port, {
    allow: readAllowList(settings.allow),
    ownPorts: settings.ownPorts,
    ownAddresses: [...machineAddresses, ...ownHosts],
    // a VM known by name may have any ordinary address: only a probe finds out
    vmAddresses: vmAddress !== null && vmIp === null ? [ip.toString()] : [vmIp?.toString() ?? ''],
  });
}

function literal(host: string): Ip | null {
  return readAddress(/(^|\.)localhost$/.test(plainName(host)) ? '127.0.0.1' : host);
}

function plainName(host: string): string {
  return host.toLowerCase().replace(/\.$/, '');
}
