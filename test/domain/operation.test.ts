import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type OperationEvent, type OperationStatus, transition } from '../../domain/operation.ts';

const INTENDED: OperationStatus = {
  state: 'intended',
  presumed: false,
  detail: null,
  sentAtMs: null,
  endedAtMs: null,
  result: 'pending',
  errorMessage: null,
  judgedAtMs: null,
};

const SENT: OperationEvent = { kind: 'sent' };
const DONE: OperationEvent = { kind: 'done', detail: 'confirmed', conclusive: false, presumed: false };
const PRESUMED: OperationEvent = { kind: 'done', detail: 'perhaps', conclusive: false, presumed: true };
const DONE_FOR_GOOD: OperationEvent = { kind: 'done', detail: 'recorded', conclusive: true, presumed: false };
const NOT_SENT: OperationEvent = { kind: 'not-sent', detail: 'refused' };
const WITHDRAWN: OperationEvent = { kind: 'withdrawn', detail: 'decided otherwise', result: 'skipped' };
const HELPED: OperationEvent = { kind: 'judged', result: 'success', errorMessage: null };
const DID_NOT_HELP: OperationEvent = { kind: 'judged', result: 'failed', errorMessage: 'still ill' };

/** Plays events one second apart; null where one of them changed nothing. */
function play(...events: OperationEvent[]): OperationStatus | null {
  return events.reduce<OperationStatus | null>(
    (status, event, i) => status && transition(status, event, (i + 1) * 1000),
    INTENDED,
  );
}

describe('an operation', () => {
  it('is sent, done, and judged by what follows', () => {
    expect(play(SENT, DONE, HELPED)).toEqual({
      state: 'done',
      presumed: false,
      detail: 'confirmed',
      sentAtMs: 1000,
      endedAtMs: 2000,
      result: 'success',
      errorMessage: null,
      judgedAtMs: 3000,
    });
    expect(play(SENT, DONE, DID_NOT_HELP)).toMatchObject({ result: 'failed', errorMessage: 'still ill' });
  });

  it('is sent, and not done, until somebody says how it ended', () => {
    expect(play(SENT)).toEqual({ ...INTENDED, state: 'sent', sentAtMs: 1000 });
  });

  it('is a success at once where no look can judge it', () => {
    expect(play(DONE_FOR_GOOD)).toMatchObject({ state: 'done', result: 'success', endedAtMs: 1000, judgedAtMs: 1000 });
  });

  it('has failed when its sender knows that nothing was sent', () => {
    const failed = { state: 'abandoned', detail: 'refused', result: 'failed', errorMessage: 'refused' };
    expect(play(NOT_SENT)).toMatchObject(failed);
    expect(play(SENT, NOT_SENT)).toMatchObject({ ...failed, sentAtMs: 1000, endedAtMs: 2000 });
  });

  it('was no attempt when its sender reports late that nothing was sent, even after it was judged', () => {
    const skipped = { state: 'abandoned', presumed: false, detail: 'refused', result: 'skipped' };
    expect(play(SENT, PRESUMED, NOT_SENT)).toMatchObject({ ...skipped, endedAtMs: 3000, judgedAtMs: 3000 });
    expect(play(SENT, PRESUMED, DID_NOT_HELP, NOT_SENT)).toMatchObject({ ...skipped, errorMessage: 'refused' });
    expect(play(SENT, PRESUMED, NOT_SENT, NOT_SENT)).toBeNull();
    expect(play(SENT, DONE, NOT_SENT)).toBeNull();
  });

  it('can be withdrawn until it is sent, and never after', () => {
    expect(play(WITHDRAWN)).toMatchObject({ state: 'abandoned', result: 'skipped', errorMessage: 'decided otherwise' });
    expect(play(SENT, WITHDRAWN)).toBeNull();
    expect(play(SENT, DONE, WITHDRAWN)).toBeNull();
  });

  it('is sent by one sender only', () => {
    expect(play(SENT, SENT)).toBeNull();
    expect(play(WITHDRAWN, SENT)).toBeNull();
    expect(play(DONE, SENT)).toBeNull();
  });

  it('keeps its first result', () => {
    expect(play(SENT, DONE, HELPED, DID_NOT_HELP)).toBeNull();
    expect(play(SENT, DID_NOT_HELP, DONE_FOR_GOOD)).toMatchObject({
      state: 'done',
      result: 'failed',
      judgedAtMs: 2000,
    });
  });
});

const anyEvents = fc.array(
  fc.constantFrom(SENT, DONE, PRESUMED, DONE_FOR_GOOD, NOT_SENT, WITHDRAWN, HELPED, DID_NOT_HELP),
  {
    maxLength: 12,
  },
);

/** Every status that such events lead through; an event that comes too late leaves it as it was. */
function pathOf(events: readonly OperationEvent[]): OperationStatus[] {
  const path = [INTENDED];
  for (const [i, event] of events.entries()) {
    const before = path.at(-1) ?? INTENDED;
    path.push(transition(before, event, i + 1) ?? before);
  }
  return path;
}

describe('whatever happens to an operation', () => {
  it('it is sent at most once, and its end and its result are final unless its end was only presumed', () => {
    fc.assert(
      fc.property(anyEvents, (events) => {
        const path = pathOf(events);
        for (const [i, after] of path.slice(1).entries()) {
          const before = path[i]!;
          if (before.endedAtMs !== null && !before.presumed) {
            expect([after.state, after.detail, after.endedAtMs]).toEqual([
              before.state,
              before.detail,
              before.endedAtMs,
            ]);
          }
          if (before.presumed) expect([before.state, 'abandoned']).toContain(after.state);
          else if (before.result !== 'pending') {
            expect([after.result, after.judgedAtMs]).toEqual([before.result, before.judgedAtMs]);
          }
          if (before.sentAtMs !== null) expect(after.sentAtMs).toBe(before.sentAtMs);
          if (after.sentAtMs !== null && before.sentAtMs === null) expect(before.state).toBe('intended');
        }
      }),
    );
  });

  it('its times say what its state and result say', () => {
    fc.assert(
      fc.property(anyEvents, (events) => {
        for (const { state, result, sentAtMs, endedAtMs, judgedAtMs } of pathOf(events)) {
          expect(endedAtMs !== null).toBe(state === 'done' || state === 'abandoned');
          expect(judgedAtMs !== null).toBe(result !== 'pending');
          if (state === 'sent') expect(sentAtMs).not.toBeNull();
          if (state === 'intended') expect(sentAtMs).toBeNull();
          if (state === 'abandoned') expect(result).not.toBe('pending');
        }
      }),
    );
  });
});
