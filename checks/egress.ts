import { lookup } from 'node:dns/promises';
import { networkInterfaces } from 'node:os';
import type { Reach } from '../domain/reach.ts';
import { readAddress } from './address.ts';
import { type Deadline, DeadlinePassed, inSeconds } from './deadline.ts';
import {
  contextOf,
  type EgressContext,
  type EgressSettings,
  isLiteral,
  ownHostsOf,
  readRanges,
  refusal,
} from './egress-rules.ts';
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
   * rebinding). `port` is null for ICMP.
   */
  clear(host: string, port: number | null, reach: Reach, deadline: Deadline): Promise<Clearance>;
}

/** How long the addresses of Defib's own machines are taken for the same: they would be looked up for each probe. */
const OWN_STAND_MS = 5_000;
/** So long an address that one of their names had is still taken for its: names of many addresses give some of them in turn. */
const OWN_KEPT_MS = 600_000;

/**
 * Decides by the rules of egress-rules.ts, on what names resolve to.
 * @throws when an entry of the lists can't be read
 */
export function createEgress(
  settings: EgressSettings,
  world: { resolve?: Resolve; ownAddresses?: () => string[] } = {},
): Egress {
  const fixed = contextOf(settings, { byAdmin: false, tenantTargets: [] });
  const resolve = shareLookups(world.resolve ?? systemResolve);
  const machines = ownMachines(settings, resolve, world.ownAddresses ?? ownAddresses);

  async function find(host: string, deadline: Deadline): Promise<readonly string[]> {
    return readAddress(host) === null ? deadline.within(resolve(host)) : [host];
  }

  return {
    clear: async (host, port, { vmAddress, byAdmin, tenantTargets }, deadline) => {
      let found: readonly string[];
      let own: Awaited<ReturnType<typeof machines>>;
      try {
        [found, own] = await Promise.all([find(host, deadline), machines(deadline)]);
      } catch (error) {
        return { ok: false, failure: unresolved(host, error, deadline) };
      }
      // a name may be led here by whoever keeps it
      const context = {
        ...fixed,
        ...own,
        byAdmin: byAdmin && isLiteral(host),
        tenantRanges: readRanges(tenantTargets),
      };
      const first = firstPermitted(found, port, { ...context, vmAddresses: host === vmAddress ? found : [] });
      if (first.ok || vmAddress === null || host === vmAddress) return first;
      const vmAddresses = await find(vmAddress, deadline).catch(() => []);
      return firstPermitted(found, port, { ...context, vmAddresses });
    },
  };
}

/**
 * The addresses of this machine and of Defib's others: those that their names had in the last ten minutes. A name that can't be resolved
 * keeps the addresses that it had: a resolver that fails opens no way to them.
 */
function ownMachines(
  settings: EgressSettings,
  resolve: Resolve,
  machineAddresses: () => string[],
): (deadline: Deadline) => Promise<Pick<EgressContext, 'machineAddresses' | 'ownAddresses'>> {
  const hosts = ownHostsOf(settings);
  /** Of each host its addresses, and when each was last told. */
  const known = new Map<string, Map<string, number>>();
  let here: string[] = [];
  let reading: Promise<unknown> = Promise.resolve();
  let readAtMs = Number.NEGATIVE_INFINITY;

  async function lookUp(host: string, nowMs: number): Promise<void> {
    const had = known.get(host) ?? new Map<string, number>();
    const told = readAddress(host) === null ? await resolve(host).catch(() => [...had.keys()]) : [host];
    for (const address of told) had.set(address, nowMs);
    for (const [address, atMs] of had) if (nowMs - atMs > OWN_KEPT_MS) had.delete(address);
    known.set(host, had);
  }

  return async (deadline) => {
    const nowMs = performance.now();
    if (nowMs - readAtMs >= OWN_STAND_MS) {
      readAtMs = nowMs;
      here = machineAddresses();
      reading = Promise.all(hosts.map((host) => lookUp(host, nowMs)));
    }
    // later ones go on with what is known, for a slow resolver would use up the probes' time
    if (known.size < hosts.length) await deadline.within(reading);
    return { machineAddresses: here, ownAddresses: [...known.values()].flatMap((addresses) => [...addresses.keys()]) };
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
