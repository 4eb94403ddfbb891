import { lookup } from 'node:dns/promises';
import { networkInterfaces } from 'node:os';
import { readAddress } from './address.ts';
import { type Deadline, DeadlinePassed, inSeconds } from './deadline.ts';
import { type EgressContext, type EgressSettings, ownHostsOf, readAllowList, refusal } from './egress-rules.ts';
import type { Failure } from './probe-result.ts';
import { errorCode } from './system-errors.ts';

/** Every address of a host name, in the order they should be tried. Rejects as `dns.lookup` does. */
export type Resolve = (host: string) => Promise<readonly string[]>;

/** The address to connect to, or why there is none. */
export type Clearance = { ok: true; address: string } | { ok: false; failure: Failure };

/** Decides where a check may connect; asked anew for every hop. */
export interface Egress {
  /**
   * The first permitted address of `host`. Connect to exactly that: a second look-up might answer differently (DNS
   * rebinding). `port` is null for ICMP; `vmAddress` is the VM's own address or host name.
   */
  clear(host: string, port: number | null, vmAddress: string | null, deadline: Deadline): Promise<Clearance>;
}

/**
 * Decides by the rules of egress-rules.ts, on what names resolve to.
 * @throws when an entry of the allow list can't be read
 */
export function createEgress(
  settings: EgressSettings,
  world: { resolve?: Resolve; ownAddresses?: () => string[] } = {},
): Egress {
  const allow = readAllowList(settings.allow);
  const resolve = shareLookups(world.resolve ?? systemResolve);
  const machineAddresses = world.ownAddresses ?? ownAddresses;

  async function find(host: string, deadline: Deadline): Promise<readonly string[]> {
    return readAddress(host) === null ? deadline.within(resolve(host)) : [host];
  }

  async function findOrNone(host: string, deadline: Deadline): Promise<readonly string[]> {
    return find(host, deadline).catch(() => []);
  }

  async function contextFor(port: number | null, deadline: Deadline): Promise<Omit<EgressContext, 'vmAddresses'>> {
    const { ownPorts } = settings;
    if (port === null || !ownPorts.has(port)) return { allow, ownPorts, ownAddresses: [] };
    const others = await Promise.all(ownHostsOf(settings).map((host) => findOrNone(host, deadline)));
    return { allow, ownPorts, ownAddresses: [...machineAddresses(), ...others.flat()] };
  }

  return {
    clear: async (host, port, vmAddress, deadline) => {
      let found: readonly string[];
      try {
        found = await find(host, deadline);
      } catch (error) {
        return { ok: false, failure: unresolved(host, error, deadline) };
      }
      const context = await contextFor(port, deadline);
      const own = host === vmAddress ? found : [];
      const first = firstPermitted(found, port, { ...context, vmAddresses: own });
      if (first.ok || vmAddress === null || host === vmAddress) return first;
      return firstPermitted(found, port, { ...context, vmAddresses: await findOrNone(vmAddress, deadline) });
    },
  };
}

/** Every address of this machine's interfaces, as they are now. */
export function ownAddresses(): string[] {
  return Object.values(networkInterfaces()).flatMap((addresses) => (addresses ?? []).map(({ address }) => address));
}

function firstPermitted(found: readonly string[], port: number | null, context: EgressContext): Clearance {
  let refused: string | null = null;
  for (const address of found) {
    const ip = readAddress(address);
    if (ip === null) continue;
    const objection = refusal(ip, port, context);
    if (objection === null) return { ok: true, address: ip.toString() };
    refused ??= objection;
  }
  const message = refused ?? 'Refused: the name resolves to no address.';
  return { ok: false, failure: { status: 'unknown', reason: 'target-refused', message } };
}

/**
 * A name that does not exist is the target's fault: whoever uses the VM by name finds it gone. A resolver that does not
 * answer is ours, and says nothing about the VM.
 */
function unresolved(host: string, error: unknown, deadline: Deadline): Failure {
  if (error instanceof DeadlinePassed) {
    const message = `Resolving ${host} took longer than ${inSeconds(deadline.timeoutMs)}: look at this worker's DNS resolver.`;
    return { status: 'unknown', reason: 'resolver-unavailable', message };
  }
  const code = errorCode(error);
  if (code === 'ENOTFOUND' || code === 'ENODATA') {
    const message = `The name ${host} does not resolve (${code}): correct it, restore its DNS record, or use an IP address.`;
    return { status: 'unhealthy', reason: 'name-not-found', message };
  }
  const message = `The name ${host} could not be resolved (${code}): look at this worker's DNS resolver.`;
  return { status: 'unknown', reason: 'resolver-unavailable', message };
}

async function systemResolve(host: string): Promise<string[]> {
  const found = await lookup(host, { all: true, verbatim: true });
  return found.map(({ address }) => address);
}

/** One look-up per name at a time: they sit on libuv's few threads while a resolver is slow. */
function shareLookups(resolve: Resolve): Resolve {
  const running = new Map<string, Promise<readonly string[]>>();
  return (host) => {
    const shared = running.get(host) ?? resolve(host).finally(() => running.delete(host));
    running.set(host, shared);
    return shared;
  };
}
