import { expect, it } from 'vitest';
import { lastLines, type RunModule } from '../../local/skip-report.ts';

const fileWith = (state: 'passed' | 'failed', ...tests: [state: string, fullName: string][]): RunModule => ({
  state: () => state,
  children: {
    allTests: () => tests.map(([testState, fullName]) => ({ fullName, result: () => ({ state: testState }) })),
  },
});

it('counts tests, and says for what reason the skipped ones were', () => {
  const mark = '[skipped because fping is not on PATH]';
  const modules = [
    fileWith('passed', ['passed', 'a'], ['skipped', `ping ${mark} answers`], ['skipped', `ping ${mark} times out`]),
    fileWith('failed', ['failed', 'b'], ['skipped', 'c']),
  ];
  expect(lastLines(modules, false).lines).toEqual([
    '2 skipped: fping is not on PATH',
    '1 skipped: no reason given',
    '1 passed, 1 failed, 3 skipped',
  ]);
});

it('counts a file that could not be loaded as a failure', () => {
  expect(lastLines([fileWith('failed')], false)).toEqual({ lines: ['0 passed, 1 failed, 0 skipped'], ok: false });
});

it('takes a skipped test for a failure where none may be, and names it', () => {
  const modules = [fileWith('passed', ['passed', 'a'], ['skipped', 'b [skipped because there is no c] answers'])];
  expect(lastLines(modules, false).ok).toBe(true);
  expect(lastLines(modules, true)).toEqual({
    lines: [
      '1 skipped: there is no c',
      'DEFIB_REQUIRE_E2E=1, but skipped: b answers (there is no c)',
      '1 passed, 0 failed, 1 skipped',
    ],
    ok: false,
  });
});

it('counts a run of nothing as a failure', () => {
  expect(lastLines([], false)).toEqual({ lines: ['No test ran.', '0 passed, 0 failed, 0 skipped'], ok: false });
});
