import { describe, expect, it } from 'vitest';
import { storageFailed } from '../../../domain/guards/storage-failed.ts';
import { illAt, MINUTE, NOW, SECOND } from '../examples.ts';
import { ask, RESET, RESUME, RESUME_STORAGE } from './ask.ts';

const resumed = (count: number, agoMs: number) =>
  illAt('storage-failed', 0, { resumesInVain: { count, lastAtMs: NOW - agoMs } });

describe('storage-failed', () => {
  it('resumes for the first time a minute after the storage failed', () => {
    const after = (forMs: number) =>
      ask(storageFailed, { facts: illAt('storage-failed', forMs), remedy: RESUME_STORAGE });
    expect(after(MINUTE - 1)).toMatchObject({ reason: 'storage-failed', lookAgainInMs: 1 });
    expect(after(MINUTE)).toBeNull();
  });

  it.each([
    [1, 2],
    [2, 4],
    [4, 16],
    [5, 30],
    [50, 30],
  ])('after %i resumes in vain it waits %i minutes', (count, minutes) => {
    const soon = resumed(count, minutes * MINUTE - SECOND);
    expect(ask(storageFailed, { facts: soon, remedy: RESUME_STORAGE })?.lookAgainInMs).toBe(SECOND);
    expect(ask(storageFailed, { facts: resumed(count, minutes * MINUTE), remedy: RESUME_STORAGE })).toBeNull();
  });

  it('waits that minute from now where nobody has read since when', () => {
    const facts = illAt('storage-failed', 0, { powerReading: null });
    expect(ask(storageFailed, { facts, remedy: RESUME_STORAGE })?.lookAgainInMs).toBe(MINUTE);
  });

  it('is about failed storage only', () => {
    expect(ask(storageFailed, { facts: illAt('paused', 0), remedy: RESUME })).toBeNull();
    expect(ask(storageFailed, { remedy: RESET })).toBeNull();
  });
});
