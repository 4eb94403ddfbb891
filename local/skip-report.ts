import type { Reporter, TestModule } from 'vitest/node';
import { environment } from './environment.mjs';

/** As describeNeeding in test/support/requirements.ts writes it into a title. */
const MARK = / \[skipped because (.*?)\]/;

/** What of vitest's modules is read here. */
export type RunModule = Pick<TestModule, 'state'> & {
  readonly children: {
    allTests(): Iterable<{ readonly fullName: string; result(): { readonly state: string } }>;
  };
};

/**
 * The last lines of a run: each reason for which tests were skipped, once, and `N passed, N failed, N skipped`. With
 * `noSkips` every skipped test is named and counts as a failure of the run.
 */
export function lastLines(modules: readonly RunModule[], noSkips: boolean): { lines: string[]; ok: boolean } {
  const tests = modules.flatMap(({ children }) => [...children.allTests()]);
  const inState = (state: string) => tests.filter((test) => test.result().state === state);
  const passed = inState('passed').length;
  // A file that could not even be loaded has no tests to count.
  const unloaded = modules.filter(
    (module) => module.state() === 'failed' && [...module.children.allTests()].length === 0,
  );
  const failed = inState('failed').length + unloaded.length;
  const skipped = inState('skipped').map(({ fullName }) => ({
    name: fullName.replace(MARK, ''),
    reason: MARK.exec(fullName)?.[1] ?? 'no reason given',
  }));
  const counts = new Map<string, number>();
  for (const { reason } of skipped) counts.set(reason, (counts.get(reason) ?? 0) + 1);
  const lines = [
    ...[...counts].map(([reason, count]) => `${count} skipped: ${reason}`),
    ...(noSkips ? skipped.map(({ name, reason }) => `DEFIB_REQUIRE_E2E=1, but skipped: ${name} (${reason})`) : []),
    ...(passed + failed === 0 ? ['No test ran.'] : []),
    `${passed} passed, ${failed} failed, ${skipped.length} skipped`,
  ];
  return { lines, ok: failed === 0 && passed > 0 && !(noSkips && skipped.length > 0) };
}

/** Prints them after vitest's own summary. */
export class SkipReport implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const { lines, ok } = lastLines(modules, environment.DEFIB_REQUIRE_E2E === '1');
    process.stdout.write(`${lines.join('\n')}\n`);
    if (!ok) process.exitCode = 1;
  }
}
