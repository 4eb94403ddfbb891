import { beforeEach, describe, expect, it, vi } from 'vitest';
import type { FactSources } from '../../activities/look/facts.ts';
import { createLookAt, type LookAt, type LookOptions } from '../../activities/look/look-at.ts';
import type { FactName, Probe, ProbeInput } from '../../checks/check.ts';
import type { HeartbeatFacts } from '../../domain/agent-staleness.ts';
import type { ProbeResult } from '../../domain/probe-result.ts';
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

  it('tells each probe who set its check, and what the tenant may reach', async () => {
    const { lookAt, given } = lookWith(['plain']);
    const checks = (['USER', 'ADMIN', 'OPERATOR', 'AGENT'] as const).map((aimedBy) =>
      watchedCheck({ checkId: aimedBy, checkType: 'plain', aimedBy }),
    );
    await lookAt({ ...vm, checks, tenantTargets: ['10.20.0.0/16'] }, options);
    expect(given.map(({ reach }) => reach.byAdmin)).toEqual([false, true, true, false]);
    for (const { reach } of given) expect(reach.tenantTargets).toEqual(['10.20.0.0/16']);
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

describe('a probe that does not end', () => {
  const hanging = watchedCheck({ checkId: 'hanging', checkType: 'plain', timeoutMs: 2_000 });
  let started: number;
  let end: (result: ProbeResult) => void;
  let nowMs: number;
  const probes = new Map<string, Probe>([
    [
      'plain',
      {
        ...ALIVE,
        needs: [],
        probe: () => {
          started++;
          return new Promise((resolve) => {
            end = resolve;
          });
        },
      },
    ],
  ]);
  beforeEach(() => {
    vi.useFakeTimers();
    started = 0;
    nowMs = NOW;
    return () => void vi.useRealTimers();
  });
  const lookFrom = (): LookAt => createLookAt({ probes, now: () => nowMs }, {} as FactSources);

  it('is given up 5 s after its timeout: the look says that it can’t tell', async () => {
    const looking = lookFrom()(watchedVm({ checks: [hanging] }), options);
    await vi.advanceTimersByTimeAsync(6_999);
    expect(await Promise.race([looking, 'still looking'])).toBe('still looking');
    await vi.advanceTimersByTimeAsync(1);
    expect(await looking).toMatchObject({
      results: [{ status: 'unknown', reason: 'look-failed', message: 'look failed: its probe did not end within 7 s' }],
    });
  });

  it('has no other started beside it until it ends', async () => {
    const lookAt = lookFrom();
    const looked = async () => {
      nowMs += 60_000;
      const looking = lookAt(watchedVm({ checks: [hanging] }), options);
      await vi.advanceTimersByTimeAsync(7_000);
      return looking;
    };
    await looked();
    expect(await looked()).toMatchObject({ results: [{ message: 'look failed: its last probe has still not ended' }] });
    expect(started).toBe(1);
    end(probeResult('healthy'));
    await vi.advanceTimersByTimeAsync(0);
    void looked();
    await vi.advanceTimersByTimeAsync(0);
    expect(started).toBe(2);
  });
});
