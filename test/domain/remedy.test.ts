import { describe, expect, it } from 'vitest';
import type { Facts } from '../../domain/facts.ts';
import type { Policy } from '../../domain/policy.ts';
import type { PowerState } from '../../domain/power.ts';
import { type Decision, decideRemedy, GUARDS } from '../../domain/remedy.ts';
import { expired, failing, ill, illAt, MINUTE, NOW, passing, policy, SECOND, silent } from './examples.ts';

const decide = (facts: Facts, chosen: Policy | null = policy()): Decision => decideRemedy(facts, chosen, NOW).decision;
const tried = (...agesMs: number[]) => agesMs.map((ageMs) => ({ atMs: NOW - ageMs, escalation: false }));

describe('what to do about an ill VM', () => {
  it('is the policy’s action, with the reason in the words of heal events and its verify window', () => {
    expect(decide(ill())).toEqual({
      kind: 'act',
      remedy: { action: 'restart', escalation: false, cause: 'unresponsive', kind: 'power', power: 'reset' },
      reason: '3 consecutive failures',
      verifyMs: 120_000,
    });
  });

  it('gives as its reason the failures of the checks that count, not of one that has never succeeded', () => {
    const checks = [
      failing(),
      failing({ checkId: 'tcp-1', checkType: 'tcp', consecutiveFailures: 50, provenAtMs: null }),
    ];
    expect(decide(ill({ consecutiveFailures: 50, checks }))).toMatchObject({ reason: '3 consecutive failures' });
  });

  it('gives as its reason the failures of the check that failed most often of those that count', () => {
    const checks = [failing({ consecutiveFailures: 4 }), failing({ checkId: 'tcp-1', consecutiveFailures: 7 })];
    expect(decide(ill({ checks }))).toMatchObject({ reason: '7 consecutive failures' });
  });

  it('gives as its reason all failures in a row where people are told, which needs no check that has ever succeeded', () => {
    const facts = ill({ consecutiveFailures: 50, checks: [failing({ consecutiveFailures: 50, provenAtMs: null })] });
    const told = { kind: 'act', reason: '50 consecutive failures', remedy: { kind: 'notify' } };
    expect(decide(facts, policy({ action: 'notify_only' }))).toMatchObject(told);
  });

  it('is a reboot rather than a reset where the provider offers one', () => {
    expect(decide(ill({ providerSupports: ['reset', 'reboot'] }))).toMatchObject({ remedy: { power: 'reboot' } });
  });

  it.each<[Policy['action'], object]>([
    ['reset', { remedy: { kind: 'power', power: 'reset' }, verifyMs: 120_000 }],
    ['start', { remedy: { kind: 'power', power: 'start' }, verifyMs: 120_000 }],
    ['stop', { remedy: { kind: 'power', power: 'stop' }, verifyMs: 0 }],
    ['notify_only', { remedy: { kind: 'notify' }, verifyMs: 0 }],
    ['human', { remedy: { kind: 'notify' }, verifyMs: 0 }],
  ])('for a policy that says %s is just that', (action, expected) => {
    expect(decide(ill(), policy({ action }))).toMatchObject({ kind: 'act', ...expected });
  });

  it.each<[string, Partial<Facts>, Policy | null, string]>([
    ['it was deleted', { deleted: true }, policy(), 'vm-deleted'],
    ['it was stopped on purpose', { stoppedOnPurpose: true }, policy(), 'stopped-on-purpose'],
    ['it is well', { status: 'healthy', consecutiveFailures: 0, checks: [passing()] }, policy(), 'recovered'],
    [
      'it is alive and well, though a certificate has run out',
      { status: 'degraded', consecutiveFailures: 0, checks: [passing(), expired()] },
      policy(),
      'recovered',
    ],
    ['no policy wants it healed', {}, null, 'no-policy'],
  ])('is nothing any more when %s', (_title, given, chosen, reason) => {
    expect(decide(ill(given), chosen)).toEqual({ kind: 'close', reason });
    expect(decideRemedy(ill(given), chosen, NOW).guards).toEqual([]);
  });

  const MANY_OBJECTIONS = ill({
    lastLookAtMs: null,
    consecutiveFailures: 0,
    checks: [silent({ failingForMs: MINUTE })],
    attempts: tried(3 * MINUTE, 2 * MINUTE, MINUTE),
    provider: { answered: false, reason: 'busy', message: 'busy' },
    providerSupports: [],
  });

  it('is to hold for the first objection; what every guard said is kept, in order', () => {
    const { decision, guards } = decideRemedy(MANY_OBJECTIONS, policy(), NOW);
    expect(decision).toMatchObject({ kind: 'hold', reason: 'not-watched' });
    expect(guards.map((answer) => answer.guard)).toEqual(GUARDS.map((guard) => guard.reason));
    expect(guards.filter((answer) => answer.objection !== null).map((answer) => answer.guard)).toEqual([
      'not-watched',
      'below-threshold',
      'silence-alone',
      'attempts-used-up',
      'cooldown',
      'action-unsupported',
      'provider-unreachable',
    ]);
  });
});

describe("what a VM's hypervisor says of it", () => {
  const SILENT = { checks: [failing({ checkType: 'agent' })] };

  it.each<[PowerState, object]>([
    ['paused', { remedy: { action: 'resume', power: 'resume', cause: 'paused' }, reason: 'Paused at its hypervisor' }],
    [
      'storage-failed',
      {
        remedy: { action: 'resume', power: 'resume', cause: 'storage-failed' },
        reason: 'Stopped by its hypervisor when its storage failed',
      },
    ],
    [
      'panicked',
      {
        remedy: { action: 'restart', power: 'reset', cause: 'panicked' },
        reason: 'Its guest has crashed, says its hypervisor',
      },
    ],
  ])('chooses the remedy when it says %s, and needs no evidence beside it', (state, expected) => {
    const decision = decide(illAt(state, 10 * MINUTE, SILENT));
    expect(decision).toMatchObject({ kind: 'act', verifyMs: 120_000, ...expected });
  });

  it('starts a VM that is off only where that is wanted', () => {
    const off = illAt('off', 10 * MINUTE);
    expect(decide(off)).toMatchObject({ kind: 'hold', reason: 'off-at-hypervisor' });
    const remedy = { action: 'start', power: 'start', cause: 'off' };
    const started = { kind: 'act', remedy, reason: 'Off at its hypervisor, and meant to run' };
    expect(decide({ ...off, keepRunning: true })).toMatchObject(started);
    expect(decide(off, policy({ action: 'start' }))).toMatchObject(started);
  });

  it('does not change the cause that people are notified of', () => {
    expect(decide(illAt('paused', 0), policy({ action: 'notify_only' }))).toMatchObject({
      kind: 'act',
      remedy: { kind: 'notify', cause: 'unresponsive' },
    });
  });
});

describe('at the end of its attempts', () => {
  const usedUp = tried(90 * MINUTE, 60 * MINUTE, MINUTE);
  const escalates = policy({ escalateAfterAttempts: 3 });

  it('a policy escalates, without waiting for the cooldown to tell people', () => {
    expect(decide(ill({ attempts: usedUp }), escalates)).toEqual({
      kind: 'act',
      remedy: { action: 'notify_only', escalation: true, cause: 'unresponsive', kind: 'notify' },
      reason: 'Escalation after max attempts',
      verifyMs: 0,
    });
  });

  it.each<[string, Partial<Facts>, Policy]>([
    ['when it has none', { attempts: usedUp }, policy()],
    ['when it would only escalate after more', { attempts: usedUp }, policy({ escalateAfterAttempts: 4 })],
    ['a second time', { attempts: [...usedUp, { atMs: NOW - SECOND, escalation: true }] }, escalates],
  ])('a policy does not escalate %s', (_title, given, chosen) => {
    expect(decide(ill(given), chosen)).toMatchObject({ kind: 'hold', reason: 'attempts-used-up' });
  });

  it('a policy does not count an escalation among its attempts', () => {
    const attempts = [{ atMs: NOW - 90 * MINUTE, escalation: true }, ...tried(60 * MINUTE, 30 * MINUTE)];
    expect(decide(ill({ attempts }), escalates)).toMatchObject({ kind: 'act', remedy: { escalation: false } });
  });

  it('a policy does not escalate before, even when it would after fewer', () => {
    const facts = ill({ attempts: tried(60 * MINUTE, 30 * MINUTE) });
    expect(decide(facts, policy({ escalateAfterAttempts: 1 }))).toMatchObject({ remedy: { escalation: false } });
  });

  it('a VM that is paused is resumed first, also by a policy that would stop it', () => {
    const stops = policy({ action: 'stop' });
    expect(decide(illAt('paused', 30 * SECOND), stops)).toMatchObject({ kind: 'hold', reason: 'paused-at-hypervisor' });
    expect(decide(illAt('paused', 5 * MINUTE), stops)).toMatchObject({ kind: 'act', remedy: { power: 'resume' } });
  });

  it('a heal is over when no check says any more whether the VM is alive', () => {
    expect(decide(ill({ checks: [] }))).toEqual({ kind: 'close', reason: 'no-checks' });
    expect(decide(ill({ checks: [expired()] }))).toEqual({ kind: 'close', reason: 'no-checks' });
  });

  it('an escalation that acts on the power passes the same guards', () => {
    const stops = policy({ escalateAfterAttempts: 3, escalationAction: 'stop' });
    expect(decide(ill({ attempts: usedUp }), stops)).toMatchObject({ kind: 'hold', reason: 'cooldown' });
    const cooled = ill({ attempts: tried(90 * MINUTE, 60 * MINUTE, 30 * MINUTE) });
    expect(decide(cooled, stops)).toMatchObject({ kind: 'act', remedy: { power: 'stop', escalation: true } });
    expect(decide({ ...cooled, checks: [silent()] }, stops)).toMatchObject({ kind: 'hold', reason: 'silence-alone' });
  });
});
