import { describe, expect, it } from 'vitest';
import { runsAgain } from '../../../domain/guards/runs-again.ts';
import { failing, ill, illAt, MINUTE, NOW, passing, SECOND, silent } from '../examples.ts';
import { ask, NOTIFY, RESUME } from './ask.ts';

/** A check every minute that failed three times and more, the last time a second ago. */
const runningFor = (forMs: number, checks = [failing()]) => illAt('running', forMs, { checks });

describe('runs-again', () => {
  it('objects until as many looks as the policy asks for have failed since the VM runs again', () => {
    expect(ask(runsAgain, { facts: runningFor(10 * SECOND) })).toMatchObject({
      reason: 'runs-again',
      sentence: 'it has been running again for 10 s, and has not failed often enough since',
      wouldChange: '3 failures in a row since then, or recovery',
    });
    expect(ask(runsAgain, { facts: runningFor(3 * MINUTE) })).not.toBeNull();
    expect(ask(runsAgain, { facts: runningFor(3 * MINUTE + SECOND) })).toBeNull();
  });

  it('counts the failures of one check, not the time that passed', () => {
    const stale = failing({ lastCheckAtMs: NOW - 9 * MINUTE });
    expect(ask(runsAgain, { facts: runningFor(10 * MINUTE, [stale]) })).not.toBeNull();
    const once = failing({ consecutiveFailures: 1 });
    expect(ask(runsAgain, { facts: runningFor(10 * MINUTE, [once, passing()]) })).not.toBeNull();
    expect(ask(runsAgain, { facts: runningFor(10 * MINUTE, [stale, failing()]) })).toBeNull();
  });

  it('does not count a silent agent: it says nothing of a VM whose other checks have not been asked since', () => {
    const agent = silent({ intervalMs: 10 * SECOND });
    expect(ask(runsAgain, { facts: runningFor(31 * SECOND, [failing(), agent]) })).not.toBeNull();
    expect(ask(runsAgain, { facts: runningFor(31 * SECOND, [agent]) })).toBeNull();
  });

  it('has no objection to a VM that was never read otherwise', () => {
    const facts = ill({ powerReading: { state: 'running', sinceMs: NOW, before: null } });
    expect(ask(runsAgain, { facts })).toBeNull();
    expect(ask(runsAgain, { facts: ill({ powerReading: null }) })).toBeNull();
  });

  it('objects neither to notifying people nor for other causes', () => {
    expect(ask(runsAgain, { facts: runningFor(0), remedy: NOTIFY })).toBeNull();
    expect(ask(runsAgain, { facts: runningFor(0), remedy: RESUME })).toBeNull();
  });
});
