import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createLookAt } from '../../activities/look/look-at.ts';
import type { RunningProbe } from '../../activities/look/probe-round.ts';
import type { Probe } from '../../checks/check.ts';
import { applyFold, foldLook, type LookMode, msToNextLook } from '../../domain/look.ts';
import type { CheckResult } from '../../domain/probe-result.ts';
import { ALIVE, NOW, probeResult, SECOND, watchedCheck, watchedVm } from '../domain/examples.ts';

beforeEach(() => void vi.useFakeTimers({ now: NOW }));
afterEach(() => void vi.useRealTimers());

interface Simulated {
  intervalSeconds: number;
  /** Of the interval, in hundredths. */
  timeoutShare: number;
  /** Whether it is among those that hang. */
  hangs: boolean;
}

interface World {
  checks: Simulated[];
  /** When the VM hangs, in hundredths of the longest interval after the start. */
  hangsAt: number;
  /** The time to store a look and to schedule the next. */
  overheadMs: number;
}

const sleep = (ms: number) => new Promise<void>((resolve) => void setTimeout(resolve, ms));

/** Looks at a VM as in care, one look after the other, in virtual time; answers when each failure of each check was counted. */
async function failuresOf(world: World, lastsMs: number): Promise<{ hangsAtMs: number; countedAtMs: number[][] }> {
  const longestMs = Math.max(...world.checks.map((check) => check.intervalSeconds * SECOND));
  const startMs = Date.now();
  const hangsAtMs = startMs + longestMs + Math.floor((world.hangsAt / 100) * longestMs);
  const mode: LookMode = { paceMs: null, now: false };
  let vm = watchedVm({
    checks: world.checks.map(({ intervalSeconds, timeoutShare }, index) =>
      watchedCheck({
        checkId: `check-${index}`,
        checkType: `type-${index}`,
        intervalMs: intervalSeconds * SECOND,
        timeoutMs: timeoutOf({ intervalSeconds, timeoutShare }),
      }),
    ),
  });
  const probes = new Map(
    world.checks.map(({ hangs }, index): [string, Probe] => {
      const probe: Probe['probe'] = async ({ timeoutMs }) => {
        const hung = hangs && Date.now() >= hangsAtMs;
        await sleep(hung ? timeoutMs : 1);
        return probeResult(hung ? 'unhealthy' : 'healthy');
      };
      return [`type-${index}`, { ...ALIVE, needs: [], probe }];
    }),
  );
  const countedAtMs: number[][] = world.checks.map(() => []);
  const lookAt = createLookAt({ probes, now: Date.now }, { heartbeat: async () => () => ({}) as never });

  function store(results: readonly CheckResult[]): void {
    const folded = foldLook(vm, results, Date.now());
    vm = applyFold(vm, folded);
    for (const { checkId, status } of folded.folded) {
      if (status === 'unhealthy') countedAtMs[Number(checkId.slice(6))]?.push(Date.now());
    }
  }

  async function storeLate(probe: RunningProbe): Promise<void> {
    const { keeper } = probe;
    const result = await probe.result;
    if (probe.keeper === keeper) store([result]);
  }

  async function watch(): Promise<void> {
    while (Date.now() < startMs + lastsMs) {
      const looked = await lookAt(vm, { mode: () => mode, limitMs: null });
      if (looked.kind !== 'results') throw new Error('a look without a limit needs no time');
      for (const probe of looked.late) void storeLate(probe);
      await sleep(world.overheadMs);
      store(looked.results);
      await sleep(Math.max(1, Math.round(msToNextLook(vm, mode, Date.now()))));
    }
  }

  void watch();
  await vi.advanceTimersByTimeAsync(lastsMs);
  return { hangsAtMs, countedAtMs };
}

const timeoutOf = ({ intervalSeconds, timeoutShare }: Pick<Simulated, 'intervalSeconds' | 'timeoutShare'>) =>
  Math.max(10, Math.floor((intervalSeconds * SECOND * timeoutShare) / 100));

const anyShare = fc.oneof(fc.constantFrom(100, 100, 99, 50, 1), fc.integer({ min: 1, max: 100 }));
const anySimulated = fc.record({
  intervalSeconds: fc.constantFrom(1, 2, 5, 7, 10, 30, 60),
  timeoutShare: anyShare,
  hangs: fc.boolean(),
});

/** Expects the Nth failure of each check that hangs to be counted in time. */
async function expectInTime(world: World, failures: number, slackMs: number): Promise<void> {
  const longestMs = Math.max(...world.checks.map(({ intervalSeconds }) => intervalSeconds * SECOND));
  const { hangsAtMs, countedAtMs } = await failuresOf(world, (failures + 5) * longestMs);
  for (const [index, check] of world.checks.entries()) {
    if (!check.hangs) {
      expect(countedAtMs[index]).toEqual([]);
      continue;
    }
    for (let n = 1; n <= failures; n++) {
      const withinMs = n * check.intervalSeconds * SECOND + timeoutOf(check) + slackMs;
      const atMs = countedAtMs[index]?.[n - 1] ?? Number.POSITIVE_INFINITY;
      expect(atMs - hangsAtMs, `failure ${n} of check ${index}`).toBeLessThanOrEqual(withinMs);
    }
  }
}

describe('from the moment a VM hangs', () => {
  it.each([1, 2, 5, 10])(
    'a check whose timeout is its interval of %i s fails at every tick',
    async (intervalSeconds) => {
      const world = { checks: [{ intervalSeconds, timeoutShare: 100, hangs: true }], hangsAt: 50, overheadMs: 5 };
      const { hangsAtMs, countedAtMs } = await failuresOf(world, 20 * intervalSeconds * SECOND);
      const inTime = (countedAtMs[0] ?? []).filter((atMs) => atMs <= hangsAtMs + 11 * intervalSeconds * SECOND + 200);
      expect(inTime).toHaveLength(10);
    },
  );

  it('the Nth failure takes at most N intervals and a timeout, and what the looks themselves take', async () => {
    const anyWorld = fc.record({
      checks: fc.tuple(anySimulated.map((one) => ({ ...one, hangs: true }))),
      hangsAt: fc.integer({ min: 0, max: 100 }),
      overheadMs: fc.integer({ min: 0, max: 40 }),
    });
    await fc.assert(
      fc.asyncProperty(anyWorld, async (world) => {
        await expectInTime(world, 6, 6 * (world.overheadMs + 5));
      }),
      { numRuns: 60 },
    );
  });

  it('so it does among other checks, whether they hang or not', async () => {
    const anyWorld = fc.record({
      checks: fc.array(anySimulated, { minLength: 2, maxLength: 4 }),
      hangsAt: fc.integer({ min: 0, max: 100 }),
      overheadMs: fc.integer({ min: 0, max: 20 }),
    });
    await fc.assert(
      fc.asyncProperty(anyWorld, async (world) => {
        await expectInTime(world, 6, 1_000 + 6 * world.checks.length * (world.overheadMs + 5));
      }),
      { numRuns: 60 },
    );
  });
});
