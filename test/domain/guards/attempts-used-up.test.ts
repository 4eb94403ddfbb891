import { describe, expect, it } from 'vitest';
import { attemptsUsedUp } from '../../../domain/guards/attempts-used-up.ts';
import { HOUR, ill, MINUTE, NOW, policy, SECOND } from '../examples.ts';
import { ask, escalating, RESET, RESUME, RESUME_STORAGE } from './ask.ts';

const attempt = (ageMs: number, escalation = false) => ({ atMs: NOW - ageMs, escalation });
const three = [attempt(90 * MINUTE), attempt(60 * MINUTE), attempt(30 * MINUTE)];

describe('attempts-used-up', () => {
  it.each([
    ['nothing was tried', []],
    ['attempts are left', [attempt(60 * MINUTE), attempt(30 * MINUTE)]],
    ['the third was an escalation', [attempt(60 * MINUTE), attempt(30 * MINUTE), attempt(20 * MINUTE, true)]],
  ])('has no objection when %s', (_title, attempts) => {
    expect(ask(attemptsUsedUp, { facts: ill({ attempts }) })).toBeNull();
  });

  it('objects when all attempts were made, and says that a person is needed', () => {
    expect(ask(attemptsUsedUp, { facts: ill({ attempts: three }) })).toMatchObject({
      reason: 'attempts-used-up',
      sentence: '3 of 3 attempts within 24 h; manual intervention needed',
      wouldChange: expect.stringContaining('2026-11-23T06:30:00.000Z'),
    });
  });

  it('looks again when the oldest attempt leaves the window, and at least every hour', () => {
    const soon = ill({ attempts: [attempt(24 * HOUR - 5 * MINUTE), attempt(HOUR), attempt(HOUR)] });
    expect(ask(attemptsUsedUp, { facts: soon })?.lookAgainInMs).toBe(5 * MINUTE);
    expect(ask(attemptsUsedUp, { facts: ill({ attempts: three }) })?.lookAgainInMs).toBe(HOUR);
  });

  it('looks again no sooner than in a second', () => {
    const atOnce = ill({ attempts: [attempt(24 * HOUR - 10), attempt(HOUR), attempt(HOUR)] });
    expect(ask(attemptsUsedUp, { facts: atOnce })?.lookAgainInMs).toBe(SECOND);
  });

  it('goes by the attempt that has to leave first where a policy was made stricter', () => {
    const stricter = policy({ maxAttempts: 1 });
    const objection = ask(attemptsUsedUp, { facts: ill({ attempts: three }), policy: stricter });
    expect(objection?.wouldChange).toContain('2026-11-23T07:30:00.000Z');
  });

  it('does not stand in the way of an escalation', () => {
    expect(ask(attemptsUsedUp, { facts: ill({ attempts: three }), remedy: escalating(RESET) })).toBeNull();
  });

  it('does not object to resumes for failed storage', () => {
    expect(ask(attemptsUsedUp, { facts: ill({ attempts: three }), remedy: RESUME_STORAGE })).toBeNull();
    expect(ask(attemptsUsedUp, { facts: ill({ attempts: three }), remedy: RESUME })).not.toBeNull();
  });

  it('never lets a policy of no attempts make one', () => {
    expect(ask(attemptsUsedUp, { policy: policy({ maxAttempts: 0 }) })).toMatchObject({ lookAgainInMs: HOUR });
  });
});
