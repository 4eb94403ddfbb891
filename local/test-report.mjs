// Plain JavaScript without dependencies, see bootstrap.mjs.

/** As describeNeeding in test/support/requirements.ts writes it into a title. */
const MARK = / \[skipped because (.*?)\]/;

/**
 * Reads vitest's JSON report.
 * @param {any} report undefined when vitest ended before it could write one
 * @returns {{passed: number, failed: number, skipped: {name: string, reason: string}[], line: string}}
 */
export function summarize(report) {
  const files = report?.testResults ?? [];
  const tests = files.flatMap((file) => file.assertionResults);
  const passed = tests.filter((test) => test.status === 'passed').length;
  // A file that could not even be loaded, or a set-up that failed, has no tests to count.
  const unloaded = files.filter((file) => file.status === 'failed' && file.assertionResults.length === 0).length;
  const failed = tests.filter((test) => test.status === 'failed').length + (report === undefined ? 1 : unloaded);
  const skipped = tests
    .filter((test) => test.status !== 'passed' && test.status !== 'failed')
    .map(({ fullName }) => ({
      name: fullName.replace(MARK, ''),
      reason: fullName.match(MARK)?.[1] ?? 'no reason given',
    }));
  return { passed, failed, skipped, line: `${passed} passed, ${failed} failed, ${skipped.length} skipped` };
}

/**
 * Each reason once, with the number of tests that it stopped.
 * @param {{reason: string}[]} skipped
 * @returns {string[]}
 */
export function reasonsFor(skipped) {
  const counts = new Map();
  for (const { reason } of skipped) counts.set(reason, (counts.get(reason) ?? 0) + 1);
  return [...counts].map(([reason, count]) => `${count} skipped: ${reason}`);
}
