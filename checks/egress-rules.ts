import type { Reach } from '../domain/reach.ts';
import {
  type AddressRange,
  covers,
  embeddedIpv4,
  type Ip,
  isOneOf,
  neverAllowed,
  readAddress,
  readRange,
} from './address.ts';
import { type AllowedTarget, isAllowed, isAllowedByPort, readAllowList } from './allowed-targets.ts';

/** Where a check connects; `port` is null for ICMP. */
export interface Endpoint {
  host: string;
  port: number | null;
}

export type OwnPorts = Pick<ReadonlySet<number>, 'has'>;

/** What an installation sets of where checks may connect. */
export interface EgressSettings {
  /** CHECK_TARGETS_ALLOW: what checks may reach besides the VM's own address. */
  allow: readonly string[];
  /** CHECK_TARGETS_REFUSE: host names, addresses and CIDRs of Defib's other parts. */
  refuse?: readonly string[];
  /** Ports of Defib's own parts (API, Temporal, its UI, Postgres). Asked at each decision: they may change. */
  ownPorts: OwnPorts;
  /** Other machines those parts run on (host names or addresses); this machine always counts. */
  ownHosts?: readonly string[];
  /** Whether checks that an administrator set reach this machine: all is on one machine with `npm start`. */
  adminsReachThisMachine?: boolean;
}

/** What one decision is made from, once names are resolved. */
export interface EgressContext extends Pick<Reach, 'byAdmin'> {
  allow: readonly AllowedTarget[];
  ownPorts: OwnPorts;
  /** Addresses of this machine; loopback is one without being named. */
  machineAddresses: readonly string[];
  /** Addresses of the other machines of Defib. */
  ownAddresses: readonly string[];
  ownRanges: readonly AddressRange[];
  adminsReachThisMachine: boolean;
  tenantRanges: readonly AddressRange[];
  /** What the VM's own address resolves to. */
  vmAddresses: readonly string[];
}

/** Names and addresses of Defib's other machines as a resolver takes them: IPv6 without the brackets of URLs. CIDRs are left out. */
export function ownHostsOf({ ownHosts = [], refuse = [] }: EgressSettings): string[] {
  return [...ownHosts, ...refuse.filter((entry) => !entry.includes('/'))].map((host) => host.replace(/^\[|\]$/g, ''));
}

/** The CIDRs among CHECK_TARGETS_REFUSE. @throws one error that names every entry that can't be read */
export function readRefusedRanges({ refuse = [] }: EgressSettings): AddressRange[] {
  const cidrs = refuse.filter((entry) => entry.includes('/'));
  const wrong = cidrs.filter((entry) => readRange(entry) === null);
  if (wrong.length > 0) throw new Error(`CHECK_TARGETS_REFUSE: not a CIDR: ${wrong.join(', ')}.`);
  return readRanges(cidrs);
}

/** Those entries that are CIDRs or addresses. */
export function readRanges(entries: readonly string[]): AddressRange[] {
  return entries.flatMap((entry) => {
    const range = readRange(entry);
    return range === null ? [] : [range];
  });
}

/**
 * May a check connect to this address and port? Null when it may, else the sentence that says why not and what would change
 * that. The rules, in order: never-addresses; Defib's own ports; Defib's own machines, this one included; then what an operator
 * gave to the tenant, or else the VM's own address; and the allow list. An address that a translator turns into an IPv4 one is
 * judged as both.
 */
export function refusal(ip: Ip, port: number | null, context: EgressContext): string | null {
  const shown = ip.toString();
  const never = neverAllowed(ip);
  if (never !== null) return `Refused: ${shown} is ${never}, and no check may ever connect there.`;
  for (const judged of [ip, ...embeddedIpv4(ip)]) {
    const objection = ownMachineRefusal(judged, port, shown, context);
    if (objection !== null) return objection;
  }
  const { allow, vmAddresses, tenantRanges } = context;
  if (isAllowed(allow, ip, port)) return null;
  if (tenantRanges.length > 0) {
    if (tenantRanges.some((range) => covers(range, ip))) return null;
    return `Refused: ${shown} is none of the addresses that this tenant's checks may reach: an operator gives them.`;
  }
  if (isThisMachine(ip, context) || isOneOf(ip, vmAddresses)) return null;
  return `Refused: ${shown} is not an address of this VM; to let checks connect there, add it to CHECK_TARGETS_ALLOW.`;
}

/** Null when it is none of Defib's machines, or may be reached all the same. */
function ownMachineRefusal(ip: Ip, port: number | null, shown: string, context: EgressContext): string | null {
  const { allow, ownPorts, ownAddresses, ownRanges, adminsReachThisMachine, byAdmin } = context;
  const here = isThisMachine(ip, context);
  const isOwn = here || isOneOf(ip, ownAddresses) || ownRanges.some((range) => covers(range, ip));
  if (!isOwn) return null;
  if (port !== null && ownPorts.has(port)) {
    return `Refused: port ${port} on ${shown} belongs to Defib itself, and no check may ever connect there.`;
  }
  if (isAllowedByPort(allow, ip, port)) return null;
  const machine = here ? 'the machine Defib runs on' : 'a machine of Defib itself';
  if (here && adminsReachThisMachine) {
    return byAdmin ? null : `Refused: ${shown} is ${machine}: only checks that an administrator set connect there.`;
  }
  return `Refused: ${shown} is ${machine}; to let checks connect there, name it with its ports in CHECK_TARGETS_ALLOW, like ${shown.includes(':') ? `[${shown}]` : shown}:${port ?? 80}.`;
}

function isThisMachine(ip: Ip, { machineAddresses }: Pick<EgressContext, 'machineAddresses'>): boolean {
  return ip.range() === 'loopback' || isOneOf(ip, machineAddresses);
}

/**
 * Why `refusal` would refuse this endpoint, as far as that is known without a resolver: literal addresses, `localhost`, and
 * Defib's own machines by name. Null for all else; each probe still decides. `machineAddresses` are those of the machine
 * that probes.
 * @throws when the lists can't be read
 */
export function foreseeableRefusal(
  settings: EgressSettings,
  { host, port }: Endpoint,
  reach: Reach,
  machineAddresses: readonly string[],
): string | null {
  const ownHosts = ownHostsOf(settings);
  const ip = literal(host);
  if (ip === null) {
    if (!ownHosts.map(plainName).includes(plainName(host))) return null;
    return `Refused: ${host} belongs to Defib itself, and no check may connect there by its name.`;
  }
  const vmIp = reach.vmAddress === null ? null : literal(reach.vmAddress);
  return refusal(ip, port, {
    ...contextOf(settings, reach),
    machineAddresses,
    ownAddresses: ownHosts,
    // a VM known by name may have any ordinary address: only a probe finds out
    vmAddresses: reach.vmAddress !== null && vmIp === null ? [ip.toString()] : [vmIp?.toString() ?? ''],
  });
}

/** What of a context needs no resolver. @throws when the lists can't be read */
export function contextOf(
  settings: EgressSettings,
  { byAdmin, tenantTargets }: Pick<Reach, 'byAdmin' | 'tenantTargets'>,
): Omit<EgressContext, 'machineAddresses' | 'ownAddresses' | 'vmAddresses'> {
  return {
    allow: readAllowList(settings.allow),
    ownPorts: settings.ownPorts,
    ownRanges: readRefusedRanges(settings),
    adminsReachThisMachine: settings.adminsReachThisMachine ?? false,
    byAdmin,
    tenantRanges: readRanges(tenantTargets),
  };
}

/** Whether a host is written as an address, or as the name that this machine always has. */
export function isLiteral(host: string): boolean {
  return literal(host) !== null;
}

function literal(host: string): Ip | null {
  return readAddress(/(^|\.)localhost$/.test(plainName(host)) ? '127.0.0.1' : host);
}

function plainName(host: string): string {
  return host.toLowerCase().replace(/\.$/, '');
}
