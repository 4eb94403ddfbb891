import { describe, expect, it } from 'vitest';
import { cooldown } from '../../../domain/guards/cooldown.ts';
import { ill, MINUTE, NOW, policy, SECOND } from '../examples.ts';
import { ask, escalating, NOTIFY, RESET } from './ask.ts';

const tried = (...agesMs: number[]) =>
  ill({ attempts: agesMs.map((ageMs) => ({ atMs: NOW - ageMs, escalation: false })) });

describe('cooldown', () => {
  it.each([
    ['nothing was tried yet', ill()],
    ['the last attempt is as old as the policy asks', tried(10 * MINUTE)],
    ['a remedy could not be sent, a while ago', ill({ lastNotSentAtMs: NOW - 10 * SECOND })],
  ])('has no objection when %s', (_title, facts) => {
    expect(ask(cooldown, { facts })).toBeNull();
  });

  it('objects until the last attempt, not the first, is old enough', () => {
    expect(ask(cooldown, { facts: tried(11 * MINUTE, 4 * MINUTE) })).toEqual({
      reason: 'cooldown',
      sentence: 'the last attempt was too recent; the policy waits 10 min between attempts',
      wouldChange: 'time: the next attempt may be made at 2026-11-22T08:06:00.000Z',
      lookAgainInMs: 6 * MINUTE,
    });
  });

  it('pauses for 10 s after a remedy that could not be sent', () => {
    expect(ask(cooldown, { facts: ill({ lastNotSentAtMs: NOW - 3 * SECOND }) })).toMatchObject({
      sentence: 'the last remedy could not be sent; it is tried again after a pause',
      lookAgainInMs: 7 * SECOND,
    });
  });

  it('takes the longer of the two waits', () => {
    const facts = { ...tried(4 * MINUTE), lastNotSentAtMs: NOW - 3 * SECOND };
    expect(ask(cooldown, { facts })?.lookAgainInMs).toBe(6 * MINUTE);
  });

  it('counts an escalation as an attempt', () => {
    const facts = ill({ attempts: [{ atMs: NOW - MINUTE, escalation: true }] });
    expect(ask(cooldown, { facts })?.lookAgainInMs).toBe(9 * MINUTE);
  });

  it('does not keep people from being told of an escalation, but keeps power actions waiting', () => {
    expect(ask(cooldown, { facts: tried(MINUTE), remedy: escalating(NOTIFY) })).toBeNull();
    expect(ask(cooldown, { facts: tried(MINUTE), remedy: escalating(RESET) })).not.toBeNull();
    expect(ask(cooldown, { facts: tried(MINUTE), remedy: NOTIFY })).not.toBeNull();
  });

  it('is none where the policy has none', () => {
    expect(ask(cooldown, { facts: tried(0), policy: policy({ cooldownMinutes: 0 }) })).toBeNull();
  });
});
