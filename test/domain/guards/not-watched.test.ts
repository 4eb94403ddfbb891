import { describe, expect, it } from 'vitest';
import { notWatched } from '../../../domain/guards/not-watched.ts';
import { failing, ill, NOW, SECOND } from '../examples.ts';
import { ask, NOTIFY } from './ask.ts';

const LIMIT = 3 * 60 * SECOND + 10 * SECOND;

describe('not-watched', () => {
  it.each([
    ['the VM was looked at just now', NOW],
    ['its last look is three intervals and a timeout old', NOW - LIMIT],
    ['another clock runs ahead', NOW + 5 * SECOND],
  ])('has no objection when %s', (_title, lastLookAtMs) => {
    expect(ask(notWatched, { facts: ill({ lastLookAtMs }) })).toBeNull();
  });

  it.each([
    ['its last look is older than that', ill({ lastLookAtMs: NOW - LIMIT - 1 }), 'nobody has looked at it for 190 s'],
    ['nobody ever looked', ill({ lastLookAtMs: null }), 'nobody has looked at it yet'],
    [
      'its last look was noted by a clock that was ahead',
      ill({ lastLookAtMs: NOW + 61 * SECOND }),
      'nobody has looked at it yet',
    ],
    ['no check is left', ill({ checks: [] }), 'nobody has looked at it for 1 s'],
  ])('objects when %s', (_title, facts, sentence) => {
    expect(ask(notWatched, { facts })).toMatchObject({ reason: 'not-watched', sentence });
  });

  it('goes by the most frequent check', () => {
    const checks = [failing(), failing({ checkId: 'slow', intervalMs: 3_600 * SECOND })];
    expect(ask(notWatched, { facts: ill({ checks, lastLookAtMs: NOW - 190 * SECOND }) })).toBeNull();
    expect(ask(notWatched, { facts: ill({ checks, lastLookAtMs: NOW - 191 * SECOND }) })).not.toBeNull();
  });

  it('keeps people from being told old news, too', () => {
    expect(ask(notWatched, { facts: ill({ lastLookAtMs: null }), remedy: NOTIFY })).not.toBeNull();
  });
});
