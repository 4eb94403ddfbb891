import { changesIn, inOneLine } from './change.ts';
import { ChangedCopy } from './changed-copy.ts';
import type { Result } from './result.ts';
import { sampled } from './sample.ts';

const CONFIG = 'test/mutation/vitest.workflows.config.ts';

/**
 * Makes a sample of the changes that Stryker would make in workflows/, one at a time, bundles the workflows anew and runs their
 * tests. Stryker can't do it: workflows run in a V8 context of Temporal's own, which its switch does not reach.
 *
 * @throws Error when the tests fail without any change
 */
export async function mutateWorkflows(
  seed: number,
  count: number,
  progress: (line: string) => void,
): Promise<Result[]> {
  const changes = (await changesIn('workflows')).filter((change) => !isSentence(change));
  progress(`workflows: ${count} of ${changes.length} changes, by seed ${seed}`);
  const copy = new ChangedCopy();
  try {
    const unchanged = await copy.tryOut(null, CONFIG);
    if (unchanged.noticed) throw new Error(`The tests fail without any change: ${unchanged.by}`);
    const results: Result[] = [];
    for (const change of sampled(changes, count, seed)) {
      const { noticed, by } = await copy.tryOut(change, CONFIG);
      const what = `${change.file}:${change.line}  ${inOneLine(change)}`;
      progress(
        `${String(results.length + 1).padStart(4)} ${noticed ? `noticed  ${what}  (${by})` : `NOT NOTICED  ${what}`}`,
      );
      results.push({ change, noticed });
    }
    return results;
  } finally {
    copy.remove();
  }
}

/** Summaries, descriptions and lines of the log are for people: nothing depends on them. */
function isSentence({ mutator, original }: { mutator: string; original: string }): boolean {
  return mutator === 'StringLiteral' && original.trim().split(/\s+/).length >= 3;
}
