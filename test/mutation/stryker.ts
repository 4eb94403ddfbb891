import { relative } from 'node:path';
import { Stryker } from '@stryker-mutator/core';
import { ROOT } from '../support/program.ts';
import { changeAt, sourceOf } from './change.ts';
import { ChangedCopy, OUTPUT } from './changed-copy.ts';
import type { Result } from './result.ts';

/** Makes every change in the sources that the pattern matches, and runs the tests of the configuration that reach it. */
export async function mutate(name: string, sources: string, config: string): Promise<Result[]> {
  const stryker = new Stryker({
    mutate: [sources],
    testRunner: 'vitest',
    plugins: ['@stryker-mutator/vitest-runner'],
    // the tests that reach a change are known one by one
    vitest: { configFile: config, related: false },
    coverageAnalysis: 'perTest',
    concurrency: 2,
    disableTypeChecks: false,
    tempDirName: `${OUTPUT}/tmp`,
    cleanTempDir: 'always',
    ignorePatterns: ['/coverage', '/dist', '/.defib', '/test/histories'],
    reporters: ['html', process.stdout.isTTY ? 'progress' : 'dots'],
    htmlReporter: { fileName: `${OUTPUT}/${name}.html` },
    allowEmpty: false,
  });
  const mutants = (await stryker.runMutationTest()).filter(({ status }) => status !== 'Ignored');
  const results = mutants.map((mutant) => {
    const file = relative(ROOT, mutant.fileName);
    const change = changeAt(file, sourceOf(file), mutant, 1);
    const noticed = mutant.status === 'Killed' || mutant.status === 'Timeout';
    const isDoubtful = mutant.status === 'Survived' && (mutant.static === true || !mutant.testsCompleted);
    return { change, noticed, isDoubtful };
  });
  return recheck(results, config);
}

/**
 * The vitest runner of Stryker 9 and 10 calls a change unnoticed when tests did not run: those of files that can't be loaded
 * with it (stryker-js issue 6150), which others may hide, and, seldom, all of them under load (issue 6073). Those, and all
 * changes of what is made as a source is loaded, are tried out without it.
 */
async function recheck(results: (Result & { isDoubtful: boolean })[], config: string): Promise<Result[]> {
  if (!results.some(({ isDoubtful }) => isDoubtful)) return results;
  const copy = new ChangedCopy();
  const checked: Result[] = [];
  try {
    for (const { change, noticed, isDoubtful } of results) {
      checked.push({ change, noticed: isDoubtful ? (await copy.tryOut(change, config)).noticed : noticed });
    }
  } finally {
    copy.remove();
  }
  return checked;
}
