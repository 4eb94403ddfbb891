import { describe, expect, it } from 'vitest';
import { currentWouldChange, decidingGuardOf, type IncidentFacts, incidentSentence } from '../../domain/incident.ts';
import { MINUTE, NOW, SECOND } from './examples.ts';

const AT = (ms: number) => new Date(ms).toISOString();

const HELD: IncidentFacts = {
  number: 4,
  openedAtMs: NOW - MINUTE,
  lastStep: {
    kind: 'hold',
    reason: 'cooldown',
    sentence: 'the last attempt was 1 min ago.',
    wouldChange: `time: the next attempt may be made at ${AT(NOW + MINUTE)}`,
    lookAgainInMs: MINUTE,
    decidedAtMs: NOW,
  },
  lastOperation: null,
};

const RESET = {
  action: 'restart',
  attempt: 2,
  state: 'done',
  result: 'success',
  intendedAtMs: NOW - 50 * SECOND,
  endedAtMs: NOW - 49 * SECOND,
  verifyMs: MINUTE,
} as const;

describe('the sentence of an incident', () => {
  it('says why it holds, what would change it, and when it is decided again', () => {
    expect(incidentSentence(HELD, NOW)).toBe(
      `Incident 4 holds (cooldown): the last attempt was 1 min ago. Would change it: time: the next attempt may be made at ${AT(NOW + MINUTE)}. Decided again by ${AT(NOW + MINUTE)}.`,
    );
  });

  it('names no time that has passed', () => {
    expect(incidentSentence(HELD, NOW + MINUTE + SECOND)).toBe(
      'Incident 4 holds (cooldown): the last attempt was 1 min ago. It is being decided again.',
    );
    expect(incidentSentence(HELD, NOW + MINUTE)).toContain('It is being decided again.');
    expect(currentWouldChange(HELD, NOW + MINUTE)).toContain(AT(NOW + MINUTE));
    expect(currentWouldChange(HELD, NOW + MINUTE + 1)).toBeNull();
    const both = { ...HELD.lastStep!, wouldChange: `a look at ${AT(NOW - 1)}, or time: ${AT(NOW + MINUTE)}` };
    expect(currentWouldChange({ ...HELD, lastStep: both }, NOW)).toBeNull();
  });

  it.each([
    ['success', 'the VM has recovered; restart (attempt 2) helped.'],
    ['failed', 'the VM has recovered; restart (attempt 2) did not help.'],
    ['skipped', 'the VM has recovered; restart (attempt 2) was not carried out.'],
    ['pending', 'the VM has recovered; restart (attempt 2) was not judged.'],
  ] as const)('says of a closed one how it ended and whether the last remedy helped: %s', (result, ending) => {
    const closed = { ...HELD, closedAtMs: NOW, outcome: 'recovered', lastOperation: { ...RESET, result } };
    expect(incidentSentence(closed, NOW)).toBe(`Incident 4 was closed at ${AT(NOW)}, after 60 s: ${ending}`);
  });

  it.each([
    ['notify_only', 'the VM has recovered; notify_only (attempt 2) was carried out.'],
    ['stop', 'the VM has recovered; stop (attempt 2) was carried out.'],
  ])('does not say that something helped which no look has judged: %s', (action, ending) => {
    const told = { ...RESET, action, verifyMs: 0 };
    const closed = { ...HELD, closedAtMs: NOW, outcome: 'recovered', lastOperation: told };
    expect(incidentSentence(closed, NOW)).toBe(`Incident 4 was closed at ${AT(NOW)}, after 60 s: ${ending}`);
  });

  it.each([
    ['being decided', { lastStep: null }, NOW - MINUTE],
    ['decided again after a remedy', { lastOperation: RESET }, RESET.endedAtMs + RESET.verifyMs],
    [
      'carried out',
      { lastOperation: { ...RESET, state: 'sent', result: 'pending', endedAtMs: null } },
      RESET.intendedAtMs,
    ],
  ] as const)('says when it does not go on, as where no worker runs: %s', (_what, more, sinceMs) => {
    const act = { ...HELD.lastStep!, kind: 'act', decidedAtMs: RESET.intendedAtMs } as const;
    const stuck = { ...HELD, lastStep: act, ...more };
    expect(incidentSentence(stuck, sinceMs + 2 * MINUTE)).not.toContain('workers');
    expect(incidentSentence(stuck, sinceMs + 2 * MINUTE + 1)).toBe(
      `Incident 4 has not gone on since ${AT(sinceMs)}: see that workers run and Temporal answers.`,
    );
  });

  it('blames nobody for a remedy that is judged late: nobody looks while the VM is paused', () => {
    const verifying = { ...HELD, lastStep: null, lastOperation: { ...RESET, result: 'pending' } } as const;
    const until = AT(RESET.endedAtMs + MINUTE);
    expect(incidentSentence(verifying, NOW)).toBe(
      `Incident 4: restart (attempt 2) was carried out, and looks show until ${until} whether it helped.`,
    );
    expect(incidentSentence(verifying, NOW + 10 * MINUTE)).toBe(
      `Incident 4: restart (attempt 2) was carried out, and by ${until} looks were to show whether it helped. They did not: the VM was paused meanwhile, or else see that workers run and Temporal answers.`,
    );
  });

  it.each([
    ['heal-lost', 'its heal was lost'],
    ['vm-deleted', 'the VM was deleted'],
    ['stopped-on-purpose', 'the VM was stopped on purpose'],
    ['no-policy', 'no policy covers the VM any more'],
    ['no-checks', 'the VM has no check about being alive any more'],
    ['of-a-later-version', 'of-a-later-version'],
  ])('says of a closed one why: %s', (outcome, why) => {
    expect(incidentSentence({ ...HELD, closedAtMs: NOW, outcome }, NOW)).toContain(`: ${why}; nothing was done.`);
  });
});

it('the deciding guard is that of the last decision, while it is a hold', () => {
  expect(decidingGuardOf(HELD)).toBe('cooldown');
  expect(decidingGuardOf({ ...HELD, lastStep: null })).toBeNull();
  const acting = { ...RESET, state: 'sent', result: 'pending', intendedAtMs: NOW } as const;
  expect(decidingGuardOf({ ...HELD, lastOperation: acting })).toBeNull();
  const closed = { ...HELD, closedAtMs: NOW };
  expect([decidingGuardOf(closed), currentWouldChange(closed, NOW)]).toEqual([null, null]);
});
