import { describe, expect, it } from 'vitest';
import { cooldown } from '../../../domain/guards/cooldown.ts';
import { ill, MINUTE, NOW, policy, SECOND } from '../examples.ts';
import { ask, escalating, NOTIFY, RESET, RESUME, RESUME_STORAGE } from './ask.ts';

const tried = (...agesMs: number[]) =>
  ill({ attempts: agesMs.map((ageMs) => ({ atMs: NOW - ageMs, escalation: false })) });

const notSent = (count: number, agoMs: number) =>
  ill({ notSent: { count, lastAtMs: NOW - agoMs, lastDetail: 'refused' } });

describe('cooldown', () => {
  it.each([
    ['nothing was tried yet', ill()],
    ['the last attempt is as old as the policy asks', tried(10 * MINUTE)],
    ['a remedy could not be sent, a while ago', notSent(1, 10 * SECOND)],
    ['a remedy was no longer wanted, a moment ago', notSent(0, SECOND)],
    ['twelve remedies could not be sent, the last one five minutes ago', notSent(12, 5 * MINUTE)],
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

  it.each([
    [1, 10 * SECOND],
    [2, 20 * SECOND],
    [5, 160 * SECOND],
    [6, 5 * MINUTE],
    [99, 5 * MINUTE],
  ])('after %i remedies in a row that could not be sent it pauses for %i ms', (count, pauseMs) => {
    expect(ask(cooldown, { facts: notSent(count, 3 * SECOND) })).toMatchObject({
      sentence: 'the last remedy was not sent; it is tried again after a pause',
      lookAgainInMs: pauseMs - 3 * SECOND,
    });
  });

  it('pauses for a second after a remedy that was no longer wanted', () => {
    expect(ask(cooldown, { facts: notSent(0, 100) })?.lookAgainInMs).toBe(900);
  });

  it('takes the longer of the two waits', () => {
    const facts = { ...tried(4 * MINUTE), notSent: notSent(1, 3 * SECOND).notSent };
    expect(ask(cooldown, { facts })?.lookAgainInMs).toBe(6 * MINUTE);
  });

  it('names the wait of the policy when both end at once', () => {
    const facts = { ...tried(10 * MINUTE - 7 * SECOND), notSent: notSent(1, 3 * SECOND).notSent };
    expect(ask(cooldown, { facts })).toMatchObject({
      sentence: 'the last attempt was too recent; the policy waits 10 min between attempts',
      lookAgainInMs: 7 * SECOND,
    });
  });

  it('does not object to resumes for failed storage', () => {
    expect(ask(cooldown, { facts: tried(MINUTE), remedy: RESUME_STORAGE })).toBeNull();
    expect(ask(cooldown, { facts: tried(MINUTE), remedy: RESUME })).not.toBeNull();
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
