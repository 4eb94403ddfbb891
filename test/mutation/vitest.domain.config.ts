import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Properties take long, and most changes are noticed by a table. */
class TablesFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const takesLong = ({ moduleId }: TestSpecification) => Number(/-properties|-over-days/.test(moduleId));
    return files.toSorted((a, b) => takesLong(a) - takesLong(b));
  }
}

export default defineConfig({
  test: {
    include: ['test/domain/**/*.test.ts'],
    setupFiles: ['test/mutation/repeatable.ts'],
    // on a busy machine the properties take longer than usual: that is no failure, and would hide what they do not notice
    testTimeout: 60_000,
    sequence: { sequencer: TablesFirst },
    // one worker, and one load of the modules, for each change instead of for each file
    isolate: false,
  },
});
