import { describe, expect, it } from 'vitest';
import type { Facts } from '../../../domain/facts.ts';
import { bootGrace } from '../../../domain/guards/boot-grace.ts';
import { failing, HOUR, ill, MINUTE, NOW, passing, SECOND } from '../examples.ts';
import { ask, NOTIFY, RESET_CRASHED } from './ask.ts';

const BOOTING = failing({ lastHealthyAtMs: null });
const started = (agoMs: number, given: Partial<Facts> = {}) =>
  ill({ startedAtMs: NOW - agoMs, bootGraceMs: 3 * MINUTE, checks: [BOOTING], ...given });

describe('boot-grace', () => {
  it.each<[string, Facts]>([
    ['it was never started on purpose', ill({ checks: [BOOTING] })],
    ['that was as long ago as it may take', started(3 * MINUTE)],
    ['it was long ago', started(HOUR)],
    ['what fails was healthy since', started(MINUTE, { checks: [failing({ lastHealthyAtMs: NOW - SECOND })] })],
    [
      'one of two that fail was healthy since',
      started(MINUTE, { checks: [BOOTING, failing({ checkId: 'tcp-1', lastHealthyAtMs: NOW - SECOND })] }),
    ],
    ['it may take no time', started(0, { bootGraceMs: 0 })],
    ['its start lies far in the future, by a wrong clock', started(-HOUR)],
  ])('has no objection when %s', (_title, facts) => {
    expect(ask(bootGrace, { facts })).toBeNull();
  });

  it.each<[string, Facts, string, number]>([
    ['it was just started', started(0), 'it was started 0 s ago and has 180 s to boot', 3 * MINUTE],
    ['it has a moment left', started(3 * MINUTE - 1), 'it was started 179 s ago and has 180 s to boot', 1],
    [
      'another check than the one that fails was healthy since',
      started(MINUTE, { checks: [BOOTING, passing({ checkId: 'ping-1', lastHealthyAtMs: NOW - SECOND })] }),
      'it was started 60 s ago and has 180 s to boot',
      2 * MINUTE,
    ],
    [
      'it was started by a clock some seconds ahead',
      started(-2 * SECOND),
      'it was started 0 s ago and has 180 s to boot',
      3 * MINUTE + 2 * SECOND,
    ],
  ])('objects when %s', (_title, facts, sentence, lookAgainInMs) => {
    expect(ask(bootGrace, { facts })).toMatchObject({ reason: 'boot-grace', sentence, lookAgainInMs });
  });

  it('says when its time to boot is over', () => {
    const endsAt = new Date(NOW + 2 * MINUTE).toISOString();
    expect(ask(bootGrace, { facts: started(MINUTE) })?.wouldChange).toContain(`the end of that time at ${endsAt}`);
  });

  it('holds notifications back as well', () => {
    expect(ask(bootGrace, { facts: started(0), remedy: NOTIFY })).toMatchObject({ reason: 'boot-grace' });
  });

  it('is not concerned when the hypervisor itself says that the VM is down', () => {
    expect(ask(bootGrace, { facts: started(0), remedy: RESET_CRASHED })).toBeNull();
  });
});
