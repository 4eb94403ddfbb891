import type { JsonObject } from '../domain/json-value.ts';
import type { Check } from './check.ts';
import { type EgressSettings, ownHostsOf, readAddress, readAllowList, refusal } from './egress-rules.ts';
import { ownAddresses } from './own-addresses.ts';
import { hostOf, hostProblems, optionProblems, portOf, readHttpTarget, readPort } from './target.ts';

/** What a user may set, per type. Pure, and without the modules that probe: the API validates with it. */
const RULES = {
  ping: (target, options, address) => [
    ...untargeted('ping', target),
    ...optionProblems('ping', options, []),
    ...addressProblems('ping', address),
  ],
  tcp: (target, options, address) => {
    const port = readPort(target);
    return [
      ...(port.ok ? [] : port.problems),
      ...optionProblems('tcp', options, []),
      ...addressProblems('tcp', address),
    ];
  },
  http: (target, options, address) => {
    const url = readHttpTarget(target, address);
    return [...(url.ok ? [] : url.problems), ...optionProblems('http', options, ['followRedirects', 'verifyTls'])];
  },
  agent: (target, options) => [...untargeted('agent', target), ...optionProblems('agent', options, [])],
} satisfies Record<string, Check['validate']>;

/** A check's settings as a user would set them. */
export interface CheckSettings {
  checkType: string;
  target: string | null;
  options: JsonObject;
}

export function isCheckType(type: string): type is keyof typeof RULES {
  return Object.hasOwn(RULES, type);
}

/** Spec C "Messages". */
export function unknownCheckType(type: string): string {
  return `Unknown check type: ${type.slice(0, 60)}`;
}

/** How settings of this type are validated: Check.validate. */
export function rulesOf(type: keyof typeof RULES): Check['validate'] {
  return RULES[type];
}

/** Every problem with a check's type, target and options, each a full sentence; empty when fine. Pure. */
export function checkProblems(check: CheckSettings, address: string | null): string[] {
  if (!isCheckType(check.checkType)) return [unknownCheckType(check.checkType)];
  return RULES[check.checkType](check.target, check.options, address);
}

/**
 * Why the connect guard would refuse this target, as far as it can be told without a resolver: literal addresses,
 * `localhost`, and Defib's own machines by name. Null for all else, and for targets that `checkProblems` objects to; the
 * guard still decides at every look. `machineAddresses` are those of the machine that probes.
 */
export function targetRefusal(
  settings: EgressSettings,
  check: CheckSettings,
  address: string | null,
  machineAddresses: readonly string[] = ownAddresses(),
): string | null {
  const endpoint = endpointOf(check, address);
  if (endpoint === null) return null;
  const { host, port } = endpoint;
  const ownHosts = ownHostsOf(settings);
  if (port !== null && settings.ownPorts.has(port) && ownHosts.map(plainName).includes(plainName(host))) {
    return `Refused: port ${port} on ${host} belongs to Defib itself, and no check may ever connect there.`;
  }
  const ip = literal(host);
  const vmIp = address === null ? null : literal(address);
  if (ip === null) return null;
  return refusal(ip, port, {
    allow: readAllowList(settings.allow),
    ownPorts: settings.ownPorts,
    ownAddresses: [...machineAddresses, ...ownHosts],
    // a VM known by name may have any ordinary address: only its look can tell
    vmAddresses: address !== null && vmIp === null ? [ip.toString()] : [vmIp?.toString() ?? ''],
  });
}

function endpointOf(check: CheckSettings, address: string | null): { host: string; port: number | null } | null {
  if (check.checkType === 'http') {
    const url = readHttpTarget(check.target, address);
    return url.ok ? { host: hostOf(url.value), port: portOf(url.value) } : null;
  }
  if (address === null) return null;
  if (check.checkType === 'ping') return { host: address, port: null };
  const port = check.checkType === 'tcp' ? readPort(check.target) : null;
  return port?.ok ? { host: address, port: port.value } : null;
}

function literal(host: string): ReturnType<typeof readAddress> {
  return readAddress(/(^|\.)localhost$/.test(plainName(host)) ? '127.0.0.1' : host);
}

function plainName(host: string): string {
  return host.toLowerCase().replace(/\.$/, '');
}

function untargeted(type: string, target: string | null): string[] {
  return target === null || target === '' ? [] : [`The ${type} check takes no target: leave it out.`];
}

function addressProblems(type: string, address: string | null): string[] {
  return address === null
    ? [`A ${type} check needs the VM's address, and this VM has none: set it.`]
    : hostProblems(address);
}
