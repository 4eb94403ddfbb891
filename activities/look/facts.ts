import type { FactName, ProbeFacts } from '../../checks/check.ts';
import { databaseTrouble } from '../../db/database-trouble.ts';
import { findListening } from '../../db/reports/listening.ts';
import { type ListeningSpan, staleAfter } from '../../domain/agent-staleness.ts';
import type { WatchedCheck, WatchedVm } from '../../domain/watched.ts';
import type { Dependencies } from '../dependencies.ts';
import { keptReads } from './shared-reads.ts';

/** A fact of one check of one VM, out of what was read for many. */
type FactOf<Name extends FactName> = (vm: WatchedVm, check: WatchedCheck) => ProbeFacts[Name];

/** Facts that have been read, by name. */
export type KnownFacts = { readonly [Name in FactName]?: FactOf<Name> };

/** Where facts come from: each source reads at once what its fact needs for all of these VMs. */
export type FactSources = {
  readonly [Name in FactName]: (vms: readonly WatchedVm[]) => Promise<FactOf<Name>>;
};

/** Every source of facts; create once per process. */
export function createFactSources(deps: Dependencies): FactSources {
  return { heartbeat: heartbeatSource(deps) };
}

/** Those facts that probes need and that are not known yet, read for these VMs, and the known ones. */
export async function readFacts(
  sources: FactSources,
  needs: Iterable<FactName>,
  vms: readonly WatchedVm[],
  known: KnownFacts = {},
): Promise<KnownFacts> {
  const missing = [...new Set(needs)].filter((name) => known[name] === undefined);
  const read = await Promise.all(missing.map(async (name) => [name, await sources[name](vms)] as const));
  return { ...known, ...Object.fromEntries(read) };
}

const NONE = {} as ProbeFacts;

/** The facts that one probe needs, and no others. */
export function factsFor(
  needs: readonly FactName[],
  known: KnownFacts,
  vm: WatchedVm,
  check: WatchedCheck,
): ProbeFacts {
  if (needs.length === 0) return NONE;
  return Object.fromEntries(needs.map((name) => [name, known[name]?.(vm, check)])) as unknown as ProbeFacts;
}

/** Heartbeats are read with the VM; when Defib could receive them is the same for all VMs. */
function heartbeatSource({ database, now }: Dependencies): FactSources['heartbeat'] {
  const findSpans = keptReads(() => findListening(database.pool, now()), now);
  return async () => {
    const listening = await findSpans('').catch(noneWhileAway);
    return (vm, check) => ({
      lastHeartbeatAtMs: vm.lastHeartbeatAtMs,
      expectedSinceMs: check.createdAtMs,
      listening,
      staleAfterMs: staleAfter(check, vm.reportIntervalMs),
    });
  };
}

/** Without Postgres no report can be stored either: then Defib does not listen. */
function noneWhileAway(error: unknown): ListeningSpan[] {
  if (databaseTrouble(error) === null) throw error;
  return [];
}
