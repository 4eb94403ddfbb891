import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { asSummary, healSummary, lookSummary, MAX_SUMMARY_BYTES, vmSummary } from '../../domain/summaries.ts';

const NOW = Date.parse('2026-11-24T03:00:00Z');
const SINCE = Date.parse('2026-11-24T02:41:30Z');

describe('a summary', () => {
  it('is one line', () => {
    expect(asSummary(' a\n\tb  c ')).toBe('a b c');
  });

  it('is as it was given where it fits, and is cut between characters where it does not', () => {
    expect(asSummary('ä'.repeat(5), 10)).toBe('ä'.repeat(5));
    expect(asSummary('ä'.repeat(6), 10)).toBe('äää…');
    expect(asSummary('😀😀😀', 9)).toBe('😀…');
  });

  it('never has more bytes than Temporal takes', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 400, size: 'max' }), fc.nat(1_000), (text, incident) => {
        for (const summary of [asSummary(text), vmSummary(text), healSummary(text, incident)]) {
          expect(Buffer.byteLength(summary)).toBeLessThanOrEqual(MAX_SUMMARY_BYTES);
        }
      }),
    );
  });

  it('of a workflow is the VM’s name, then what it is for', () => {
    expect(vmSummary('web-1')).toBe('web-1: health and healing');
    expect(healSummary('web-1', 3)).toBe('web-1: heals incident 3');
    expect(healSummary(null, 3)).toBe('heals incident 3');
  });
});

describe('the summary of a VM’s looks', () => {
  const known = { status: 'unhealthy', line: 'unhealthy · http timeout (2s) · tcp:22 1 ms', sinceMs: SINCE };

  it.each([
    ['says what was seen last, and since when', {}, 'ill since 02:41 UTC: http timeout (2s) · tcp:22 1 ms'],
    [
      'names the day where that is another',
      { sinceMs: SINCE - 86_400_000 },
      'ill since 2026-11-23 02:41 UTC: http timeout (2s) · tcp:22 1 ms',
    ],
    ['says no time that it does not know', { sinceMs: null }, 'ill: http timeout (2s) · tcp:22 1 ms'],
    ['says nothing of checks where there was none', { line: 'unhealthy' }, 'ill since 02:41 UTC'],
    ['keeps other words for health', { status: 'degraded', line: 'degraded · x' }, 'degraded since 02:41 UTC: x'],
    ['is the line where that is no verdict', { line: 'not looked at yet' }, 'not looked at yet'],
  ])('%s', (_what, more, summary) => {
    expect(lookSummary({ ...known, watchedClosely: false, ...more }, NOW)).toBe(summary);
  });

  it('says when it looks closely', () => {
    const line = 'unhealthy · http 500';
    expect(lookSummary({ ...known, line, watchedClosely: true }, NOW)).toBe(
      'ill since 02:41 UTC: http 500 · looks closely: a remedy was tried',
    );
  });
});
