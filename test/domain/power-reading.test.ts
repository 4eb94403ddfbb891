import { describe, expect, it } from 'vitest';
import type { PowerReading, PowerState } from '../../domain/power.ts';
import { readPower } from '../../domain/power-reading.ts';
import { MINUTE, NOW } from './examples.ts';

const since = (state: PowerState, agoMs: number, before: PowerState | null = null): PowerReading => ({
  state,
  sinceMs: NOW - agoMs,
  before,
});
const SILENT = { answered: false, reason: 'busy', message: 'busy' } as const;

/** The reading when the hypervisor says this now; null = it gives no answer. */
function read(last: PowerReading | null, says: PowerState | null, lastRemedyDoneAtMs: number | null = null) {
  const fact = says === null ? SILENT : ({ answered: true, power: says, detail: says } as const);
  return readPower(last, { fact, atMs: NOW, lastRemedyDoneAtMs });
}

describe('the reading of a hypervisor', () => {
  it('begins with its first answer', () => {
    expect(read(null, null)).toBeNull();
    expect(read(null, 'paused')).toEqual(since('paused', 0));
  });

  it('goes on while every answer is the same, and while there is none', () => {
    const before = since('paused', MINUTE, 'running');
    expect(read(before, 'paused')).toEqual(before);
    expect(read(before, null)).toEqual(before);
  });

  it('begins anew with another answer', () => {
    expect(read(since('paused', MINUTE), 'running')).toEqual(since('running', 0, 'paused'));
  });

  it('is as old as the remedy that brought it about', () => {
    expect(read(since('paused', 9 * MINUTE), 'running', NOW - MINUTE)).toEqual(since('running', MINUTE, 'paused'));
    expect(read(since('paused', MINUTE), 'running', NOW - 9 * MINUTE)).toEqual(since('running', 0, 'paused'));
  });

  it('counts from the last remedy only what came after it', () => {
    const running = since('running', MINUTE, 'paused');
    expect(read(running, 'panicked', NOW - MINUTE)).toEqual(since('panicked', 0, 'running'));
    const paused = since('paused', MINUTE, 'off');
    expect(read(paused, 'paused', NOW - MINUTE)).toEqual(paused);
  });

  it('counts from a remedy that changed nothing', () => {
    for (const state of ['running', 'storage-failed', 'panicked'] as const) {
      const before = since(state, 9 * MINUTE, 'paused');
      expect(read(before, state, NOW - MINUTE)).toEqual(since(state, MINUTE));
    }
  });

  it('puts nothing down to a remedy that comes after an answer since it', () => {
    for (const state of ['starting', 'off'] as const) {
      const answered = read(since('running', 9 * MINUTE), 'running', NOW - 5 * MINUTE);
      expect(read(answered, state, NOW - 5 * MINUTE)).toEqual(since(state, 0, 'running'));
    }
  });

  it('counts a pause from when it is first read, whatever was done before: it may be a backup’s', () => {
    expect(read(since('running', 9 * MINUTE), 'paused', NOW - 5 * MINUTE)).toEqual(since('paused', 0, 'running'));
  });

  it('begins anew when the VM is paused again after a remedy let it run on', () => {
    const paused = since('paused', 9 * MINUTE, 'running');
    expect(read(paused, 'paused', NOW - MINUTE)).toEqual(since('paused', 0, 'running'));
    const unchanged = read(since('paused', MINUTE, 'running'), 'paused', NOW - 9 * MINUTE);
    expect(unchanged).toEqual(since('paused', MINUTE, 'running'));
  });

  it('keeps a dump for ten minutes in which the VM reads as running', () => {
    expect(read(since('dumping', 10 * MINUTE - 1), 'running')?.state).toBe('dumping');
    expect(read(since('dumping', 10 * MINUTE), 'running')).toEqual(since('running', 0, 'dumping'));
    expect(read(since('dumping', MINUTE), 'panicked')).toEqual(since('panicked', 0, 'dumping'));
  });
});
