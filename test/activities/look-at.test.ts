import { describe, expect, it } from 'vitest';
import type { FactSources } from '../../activities/look/facts.ts';
import { createLookAt, type LookOptions } from '../../activities/look/look-at.ts';
import type { FactName, Probe, ProbeInput } from '../../checks/check.ts';
import type { HeartbeatFacts } from '../../domain/agent-staleness.ts';
import { ALIVE, NOW, probeResult, watchedCheck, watchedVm } from '../domain/examples.ts';

const options: LookOptions = { mode: () => ({ paceMs: null, now: false }), limitMs: null };
const heartbeat: HeartbeatFacts = { lastHeartbeatAtMs: NOW, expectedSinceMs: 0, listening: [], staleAfterMs: 1 };
const vm = watchedVm({
  checks: [
    watchedCheck({ checkId: 'plain-1', checkType: 'plain' }),
    watchedCheck({ checkId: 'asking-1', checkType: 'asking' }),
    watchedCheck({ checkId: 'asking-2', checkType: 'asking', name: 'another' }),
  ],
});

/** What every probe was given; `reads` counts how often a source was asked. */
function lookWith(types: readonly ('plain' | 'asking')[]) {
  const given: ProbeInput<FactName>[] = [];
  const probeOf = (needs: readonly FactName[]): Probe => ({
    ...ALIVE,
    needs,
    probe: async (input) => {
      given.push(input);
      return probeResult('healthy');
    },
  });
  const probes = new Map(types.map((type) => [type, probeOf(type === 'asking' ? ['heartbeat'] : [])]));
  const counts = { reads: 0 };
  const sources: FactSources = {
    heartbeat: async () => {
      counts.reads += 1;
      return () => heartbeat;
    },
  };
  return { lookAt: createLookAt({ probes, now: () => NOW }, sources), given, counts };
}

describe('looking at a VM that was read or given', () => {
  it('hands each probe the facts it needs and no others, read once however many need them', async () => {
    const { lookAt, given, counts } = lookWith(['plain', 'asking']);
    const looked = await lookAt(vm, options);
    expect(looked).toMatchObject({ kind: 'results', late: [] });
    expect(given.map(({ facts }) => facts)).toEqual([{}, { heartbeat }, { heartbeat }]);
    expect(counts.reads).toBe(1);
  });

  it('reads nothing when no probe that is due needs a fact', async () => {
    const { lookAt, counts } = lookWith(['plain']);
    await lookAt({ ...vm, checks: vm.checks.slice(0, 1) }, options);
    expect(counts.reads).toBe(0);
  });

  it('reads nothing that whoever schedules it has read already', async () => {
    const { lookAt, given, counts } = lookWith(['plain', 'asking']);
    const known = { ...heartbeat, lastHeartbeatAtMs: 1 };
    await lookAt(vm, { ...options, facts: { heartbeat: () => known } });
    expect(given.map(({ facts }) => facts)).toEqual([{}, { heartbeat: known }, { heartbeat: known }]);
    expect(counts.reads).toBe(0);
  });

  it('answers a check of a type that this version does not know as unknown', async () => {
    const { lookAt } = lookWith(['plain']);
    expect(await lookAt(vm, options)).toMatchObject({
      kind: 'results',
      results: expect.arrayContaining([
        expect.objectContaining({
          checkId: 'asking-1',
          status: 'unknown',
          reason: 'look-failed',
          message: 'look failed: Unknown check type: asking',
        }),
      ]),
    });
  });
});
