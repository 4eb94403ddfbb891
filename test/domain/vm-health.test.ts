import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type CheckState, foldCheck, unseenCheck } from '../../domain/check-state.ts';
import { type HealthStatus, toLegacyStatus, worstOf } from '../../domain/health.ts';
import { type FoldedCheck, foldVm, type HealthTransition, UNSEEN, type VmHealth } from '../../domain/vm-health.ts';
import { anyResultStatus, anyThresholds, NOW, probeResult } from './examples.ts';

const anyStatus = fc.constantFrom<HealthStatus>('unknown', 'healthy', 'degraded', 'unhealthy');

describe('the worst of several statuses', () => {
  it.each<[HealthStatus[], HealthStatus]>([
    [[], 'unknown'],
    [['unknown'], 'unknown'],
    [['healthy', 'unknown'], 'healthy'],
    [['healthy', 'degraded', 'unknown'], 'degraded'],
    [['unhealthy', 'degraded', 'healthy'], 'unhealthy'],
  ])('of %j is %s', (statuses, worst) => {
    expect(worstOf(statuses)).toBe(worst);
  });

  it('does not depend on their order or on who answered twice', () => {
    fc.assert(
      fc.property(fc.array(anyStatus), (statuses) => {
        expect(worstOf(statuses.toReversed())).toBe(worstOf(statuses));
        expect(worstOf([...statuses, ...statuses])).toBe(worstOf(statuses));
      }),
    );
  });
});

it('the words of the older systems are HEALTHY, WARNING, DOWN, UNKNOWN and PAUSED', () => {
  expect((['healthy', 'degraded', 'unhealthy', 'unknown', 'paused'] as const).map(toLegacyStatus)).toEqual([
    'HEALTHY',
    'WARNING',
    'DOWN',
    'UNKNOWN',
    'PAUSED',
  ]);
});

function check(checkId: string, given: Partial<CheckState>): FoldedCheck {
  return { about: 'alive', state: { ...unseenCheck(checkId, 'http'), reason: 'ok', ...given } };
}

const WELL: Partial<CheckState> = { status: 'healthy', consecutiveSuccesses: 4 };
const BAD: Partial<CheckState> = { status: 'unhealthy', consecutiveFailures: 9, reason: 'certificate-expired' };

const load = (checkId: string, given: Partial<CheckState>): FoldedCheck => ({
  ...check(checkId, given),
  about: 'load',
});

describe('a VM from its checks', () => {
  it('gives a reason for each check that is not plainly healthy, and only for those', () => {
    const { health } = foldVm(
      UNSEEN,
      [
        check('well', { status: 'healthy' }),
        check('ill', { status: 'unhealthy', reason: 'timeout', message: 'HTTP timeout (10s)' }),
        check('was well, now cannot tell', { status: 'healthy', reason: 'look-failed' }),
        check('has succeeded, but too seldom yet', { status: 'unhealthy', consecutiveSuccesses: 1 }),
        { about: 'alive', state: unseenCheck('new', 'tcp') },
      ],
      NOW,
    );
    expect(health.reasons.map(({ checkId, reason }) => [checkId, reason])).toEqual([
      ['ill', 'timeout'],
      ['was well, now cannot tell', 'look-failed'],
      ['has succeeded, but too seldom yet', 'ok'],
      ['new', 'not-checked-yet'],
    ]);
  });

  it('counts the failures of the check that fails longest and the successes that all checks share', () => {
    const { health } = foldVm(
      UNSEEN,
      [
        check('a', { status: 'unhealthy', consecutiveFailures: 5 }),
        check('b', { status: 'degraded', consecutiveFailures: 1 }),
        check('c', { status: 'healthy', consecutiveSuccesses: 9 }),
      ],
      NOW,
    );
    expect(health).toMatchObject({ status: 'unhealthy', consecutiveFailures: 5, consecutiveSuccesses: 0 });
  });

  it.each<[title: string, checks: FoldedCheck[], status: HealthStatus, failures: number]>([
    ['is at most degraded by load and upkeep', [check('a', WELL), load('l', BAD)], 'degraded', 0],
    ['is degraded by load that is', [check('a', WELL), load('l', { ...BAD, status: 'degraded' })], 'degraded', 0],
    ['has that among its reasons even alone', [load('l', BAD)], 'degraded', 0],
    ['is as ill as it is, whatever its load', [check('a', BAD), load('l', WELL)], 'unhealthy', 9],
    [
      'counts no failures of its load',
      [check('a', { ...BAD, consecutiveFailures: 2 }), load('l', BAD)],
      'unhealthy',
      2,
    ],
    ['is well by its load where that is all there is', [load('l', WELL)], 'healthy', 0],
    ['is not known to be alive by its load', [check('a', {}), load('l', WELL)], 'unknown', 0],
  ])('%s', (_title, checks, status, consecutiveFailures) => {
    const { health } = foldVm(UNSEEN, checks, NOW);
    expect(health).toMatchObject({ status, consecutiveFailures });
    expect(health.reasons.some((reason) => reason.about === 'load')).toBe(
      checks.some((one) => one.about === 'load' && one.state.status !== 'healthy'),
    );
  });

  it('gives first the reasons that are about being alive', () => {
    const { health } = foldVm(UNSEEN, [load('l', BAD), check('a', BAD)], NOW);
    expect(health.reasons.map((reason) => [reason.checkId, reason.about, reason.status])).toEqual([
      ['a', 'alive', 'unhealthy'],
      ['l', 'load', 'unhealthy'],
    ]);
  });

  it('counts the successes that all checks about being alive share', () => {
    const { health } = foldVm(UNSEEN, [check('a', { ...WELL, consecutiveSuccesses: 9 }), load('l', BAD)], NOW);
    expect(health.consecutiveSuccesses).toBe(9);
  });

  it('keeps when it was last checked while none of its checks can tell', () => {
    const before: VmHealth = {
      ...UNSEEN,
      status: 'unhealthy',
      lastCheckAtMs: 5,
      lastUnhealthyAtMs: 5,
      transitionSeq: 4,
    };
    const { health } = foldVm(before, [check('a', { status: 'unhealthy', consecutiveFailures: 3 })], NOW);
    expect(health).toMatchObject({ lastCheckAtMs: 5, lastUnhealthyAtMs: 5, transitionSeq: 4 });
  });

  it('was last checked when the last of its checks was conclusive, and then healthy or not', () => {
    const checks = [
      check('a', { ...WELL, lastCheckAtMs: 30 }),
      check('b', { ...WELL, lastCheckAtMs: 50 }),
      check('c', { ...WELL, lastCheckAtMs: null }),
    ];
    const before: VmHealth = { ...UNSEEN, lastHealthyAtMs: 10, lastUnhealthyAtMs: 20 };
    const { health } = foldVm(before, checks, NOW);
    expect(health).toMatchObject({ lastCheckAtMs: 50, lastHealthyAtMs: 50, lastUnhealthyAtMs: 20 });
    const ill = foldVm(health, [check('a', { ...BAD, lastCheckAtMs: 60 })], NOW).health;
    expect(ill).toMatchObject({ lastCheckAtMs: 60, lastHealthyAtMs: 50, lastUnhealthyAtMs: 60 });
    const degraded = foldVm(ill, [check('a', { status: 'degraded', lastCheckAtMs: 70 })], NOW).health;
    expect(degraded).toMatchObject({ lastCheckAtMs: 70, lastHealthyAtMs: 50, lastUnhealthyAtMs: 60 });
  });

  it('was never checked while none of its checks has been conclusive', () => {
    const { health } = foldVm(UNSEEN, [check('a', {})], NOW);
    expect(health).toMatchObject({ lastCheckAtMs: null, lastHealthyAtMs: null, lastUnhealthyAtMs: null });
    expect(health.consecutiveSuccesses).toBe(0);
  });

  it('leaves checks that can tell nothing out of the successes that its checks share', () => {
    const { health } = foldVm(UNSEEN, [check('a', WELL), check('new', {})], NOW);
    expect(health.consecutiveSuccesses).toBe(4);
  });

  it('of load alone is well without successes of checks about being alive, and unknown while that can not tell', () => {
    expect(foldVm(UNSEEN, [load('l', WELL)], NOW).health.consecutiveSuccesses).toBe(0);
    expect(foldVm(UNSEEN, [load('l', {})], NOW).health.status).toBe('unknown');
  });

  it('that nobody has looked at yet has no reasons, and nothing in a row', () => {
    expect(UNSEEN).toMatchObject({ status: 'unknown', reasons: [], transitionSeq: 0 });
    expect(UNSEEN).toMatchObject({ consecutiveFailures: 0, consecutiveSuccesses: 0 });
  });

  it('says when the change happened, from what, to what and why', () => {
    const before: VmHealth = { ...UNSEEN, status: 'healthy', transitionSeq: 7 };
    const { transition } = foldVm(before, [check('a', { status: 'degraded', reason: 'timeout' })], NOW);
    expect(transition).toEqual({
      seq: 8,
      from: 'healthy',
      to: 'degraded',
      atMs: NOW,
      reasons: [
        { checkId: 'a', checkType: 'http', about: 'alive', status: 'degraded', reason: 'timeout', message: null },
      ],
    });
  });
});

describe('a VM over any history of looks', () => {
  const CHECKS = ['a', 'b', 'c'];
  const anyLook = fc.record({ who: fc.constantFrom(...CHECKS), status: anyResultStatus });
  const anyHistory = fc.array(anyLook, { maxLength: 60 });

  /** Plays looks at one check each; answers the VM's status after each. */
  function live(
    history: readonly { who: string; status: 'healthy' | 'unhealthy' | 'unknown' }[],
    thresholds: { failureThreshold: number; successThreshold: number },
  ) {
    const states = new Map(CHECKS.map((id) => [id, unseenCheck(id, 'http')]));
    let health = UNSEEN;
    return history.map(({ who, status }, i) => {
      const before = health;
      const result = { ...probeResult(status), dueAtMs: i, checkedAtMs: i };
      states.set(
        who,
        foldCheck(
          states.get(who) ?? unseenCheck(who, 'http'),
          { vmId: 'vm-1', retryIntervalMs: 1, thresholds },
          result,
        ),
      );
      const folded = foldVm(
        health,
        [...states.values()].map((state) => ({ about: 'alive', state })),
        i,
      );
      health = folded.health;
      return {
        status,
        before,
        health,
        transition: folded.transition,
        statuses: [...states.values()].map((s) => s.status),
      };
    });
  }

  it('is always the worst of its checks', () => {
    fc.assert(
      fc.property(anyHistory, anyThresholds, (history, thresholds) => {
        for (const { health, statuses } of live(history, thresholds)) expect(health.status).toBe(worstOf(statuses));
      }),
    );
  });

  it('numbers exactly its changes of status, without a gap, each beginning where the last one ended', () => {
    fc.assert(
      fc.property(anyHistory, anyThresholds, (history, thresholds) => {
        const steps = live(history, thresholds);
        const transitions = steps.map((step) => step.transition).filter((one): one is HealthTransition => one !== null);
        expect(transitions.map((one) => one.seq)).toEqual(transitions.map((_, i) => i + 1));
        for (const [i, one] of transitions.entries()) {
          expect(one.from).toBe(transitions[i - 1]?.to ?? 'unknown');
          expect(one.to).not.toBe(one.from);
        }
        for (const { before, health, transition } of steps) {
          expect(transition !== null).toBe(before.status !== health.status);
          expect(health.transitionSeq - before.transitionSeq).toBe(transition === null ? 0 : 1);
        }
        expect(steps.at(-1)?.health.transitionSeq ?? 0).toBe(transitions.length);
      }),
    );
  });

  it('never changes its status because nothing was conclusive', () => {
    fc.assert(
      fc.property(anyHistory, anyThresholds, (history, thresholds) => {
        for (const { status, transition } of live(history, thresholds)) {
          if (status === 'unknown') expect(transition).toBeNull();
        }
      }),
    );
  });

  it('is unknown only until the first of its checks has answered', () => {
    fc.assert(
      fc.property(anyHistory, anyThresholds, (history, thresholds) => {
        const steps = live(history, thresholds);
        const firstAnswer = history.findIndex((look) => look.status !== 'unknown');
        for (const [i, { health }] of steps.entries()) {
          expect(health.status === 'unknown').toBe(firstAnswer === -1 || i < firstAnswer);
        }
      }),
    );
  });
});
