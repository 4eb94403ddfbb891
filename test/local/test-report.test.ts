import { expect, it } from 'vitest';
import { reasonsFor, summarize } from '../../local/test-report.mjs';

const fileWith = (status: string, ...tests: [status: string, fullName: string][]) => ({
  status,
  assertionResults: tests.map(([testStatus, fullName]) => ({ status: testStatus, fullName })),
});

it('counts tests, and says for what reason the skipped ones were', () => {
  const mark = '[skipped because fping is not on PATH]';
  const summary = summarize({
    testResults: [
      fileWith('passed', ['passed', 'a'], ['skipped', `ping ${mark} answers`], ['skipped', `ping ${mark} times out`]),
      fileWith('failed', ['failed', 'b'], ['todo', 'c']),
    ],
  });
  expect(summary.line).toBe('1 passed, 1 failed, 3 skipped');
  expect(reasonsFor(summary.skipped)).toEqual(['2 skipped: fping is not on PATH', '1 skipped: no reason given']);
});

it('counts a file that could not be loaded as a failure', () => {
  expect(summarize({ testResults: [fileWith('failed')] }).line).toBe('0 passed, 1 failed, 0 skipped');
});

it('counts a run without a report as a failure', () => {
  expect(summarize(undefined).line).toBe('0 passed, 1 failed, 0 skipped');
});
