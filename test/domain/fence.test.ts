import { describe, expect, it } from 'vitest';
import { type Fence, fenceOf, type SendingFacts, whyNotSent } from '../../domain/fence.ts';
import { failing, ill, illAt, NOW, passing, SECOND } from './examples.ts';

const CHECKS = [
  failing({ checkId: 'a' }),
  passing({ checkId: 'b' }),
  failing({ checkId: 'once', consecutiveFailures: 1 }),
];
const FENCE: Fence = fenceOf(ill({ checks: CHECKS, settingsVersion: 7 }));
/** As the checks still are, but for what is given. */
const failures = (given: { a?: number; once?: number }) => new Map(Object.entries({ a: 3, once: 1, ...given }));
const STILL_SO: SendingFacts = {
  deleted: false,
  paused: false,
  stoppedOnPurpose: false,
  settingsVersion: 7,
  policyRevision: 0,
  incidentOpen: true,
  otherOperationSent: false,
  failures: failures({}),
  powerState: 'running',
  nowMs: NOW + SECOND,
};
const asked = (given: Partial<SendingFacts>) => whyNotSent(FENCE, { ...STILL_SO, ...given });

describe('the fence of a decision', () => {
  it('holds what it was made from, and of the checks those whose failures counted', () => {
    expect(FENCE).toEqual({
      settingsVersion: 7,
      policyRevision: 0,
      checks: [
        { checkId: 'a', consecutiveFailures: 3 },
        { checkId: 'once', consecutiveFailures: 1 },
      ],
      powerState: 'running',
      factsAtMs: NOW,
    });
    expect(fenceOf(illAt('paused', 0)).powerState).toBe('paused');
    expect(fenceOf(ill({ provider: { answered: false, reason: 'busy', message: '' } })).powerState).toBe('unknown');
  });

  it('lets through what is still so, and what has got worse', () => {
    expect(asked({})).toBeNull();
    expect(asked({ failures: failures({ a: 9 }) })).toBeNull();
  });

  it.each<[Partial<SendingFacts>, string]>([
    [{ deleted: true }, 'the VM was deleted'],
    [{ paused: true }, 'the VM was paused'],
    [{ stoppedOnPurpose: true }, 'the VM was stopped on purpose'],
    [{ settingsVersion: 8 }, 'the settings of the VM were changed'],
    [{ settingsVersion: 6 }, 'the settings of the VM were changed'],
    [{ policyRevision: 1 }, 'a policy was changed'],
    [{ incidentOpen: false }, 'the incident was closed'],
    [{ otherOperationSent: true }, 'another operation was sent to the VM'],
    [{ failures: failures({ a: 2 }) }, 'a check that counted has passed since'],
    [{ failures: failures({ once: 0 }) }, 'a check that counted has passed since'],
    [{ failures: new Map([['a', 3]]) }, 'a check that counted has passed since'],
    [{ failures: new Map() }, 'a check that counted has passed since'],
    [{ powerState: 'saving' }, 'its hypervisor says saving now, and said running'],
    [{ nowMs: NOW + 20 * SECOND + 1 }, 'its facts were 20 s old'],
    [{ nowMs: NOW - 1 }, 'its facts were 0 s old'],
  ])('stops what changed: %o', (given, why) => {
    expect(asked(given)?.replace('-0', '0')).toBe(why);
  });

  it('takes facts that are 20 s old at most', () => {
    expect(asked({ nowMs: NOW })).toBeNull();
    expect(asked({ nowMs: NOW + 20 * SECOND })).toBeNull();
  });
});
