import { expect, it } from 'vitest';
import { createUnstoredResults } from '../../activities/look/unstored-results.ts';
import type { CheckResult } from '../../domain/probe-result.ts';
import { probeResult } from '../domain/examples.ts';

function result(dueAtMs: number): CheckResult {
  return { ...probeResult('healthy'), checkId: 'http', intervalMs: 60_000, dueAtMs, checkedAtMs: dueAtMs };
}

it('keeps what it has of quiet VMs when a noisy one has too much, and counts what it lets go', () => {
  const unstored = createUnstoredResults(20);
  const quiet = Array.from({ length: 5 }, (_, n) => `quiet-${n}`);
  for (const vmId of quiet) unstored.keep(vmId, [result(0), result(60_000)]);
  for (let n = 0; n < 100; n++) unstored.keep('noisy', [result(n * 250)]);
  for (const vmId of quiet) expect(unstored.with(vmId, [])).toHaveLength(2);
  expect(unstored.with('noisy', [])).toHaveLength(10);
  expect(unstored.letGo).toBe(90);
});

it('never keeps more than it may, also where VMs are too many', () => {
  const unstored = createUnstoredResults(3);
  for (let n = 0; n < 10; n++) unstored.keep(`vm-${n}`, [result(n)]);
  const kept = Array.from({ length: 10 }, (_, n) => unstored.with(`vm-${n}`, []).length);
  expect(kept.reduce((sum, count) => sum + count, 0)).toBe(3);
  expect(unstored.letGo).toBe(7);
});

it('has room again for what was forgotten', () => {
  const unstored = createUnstoredResults(2);
  const stored = [result(0), result(60_000)];
  unstored.keep('vm', stored);
  unstored.forget('vm', stored);
  expect(unstored.isEmpty).toBe(true);
  unstored.keep('other', stored);
  expect(unstored.with('other', [])).toHaveLength(2);
  expect(unstored.letGo).toBe(0);
});

it('keeps nothing of what a server said', () => {
  const unstored = createUnstoredResults();
  const said = { ...result(0), rawResponse: { statusCode: 200, body: 'a secret' } };
  expect(unstored.keep('vm', [said])).toEqual([{ ...said, rawResponse: {} }]);
});
