import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Those that notice most in little time first: a run ends with the first test that fails. */
const ORDER = ['replay', 'workflows/heal-vm', 'vm-health-', 'integration/vm-health', 'provider-site', ''];

class SoonestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification) => ORDER.findIndex((part) => moduleId.includes(part));
    return files.toSorted((a, b) => rank(a) - rank(b));
  }
}

/** The tests of workflows: on recorded histories, in virtual time and on a real server. */
export default defineConfig({
  test: {
    include: ['test/{replay,workflows}/*.test.ts', 'test/integration/{heal-vm,provider-site,vm-health*}.test.ts'],
    globalSetup: ['test/support/global-setup.ts'],
    sequence: { sequencer: SoonestFirst },
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 30_000,
    hookTimeout: 60_000,
    teardownTimeout: 30_000,
  },
});
