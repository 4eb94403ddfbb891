import { defineConfig } from 'vitest/config';
import { SkipReport } from './local/skip-report.ts';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/support/global-setup.ts'],
    reporters: ['default', new SkipReport()],
    pool: 'forks',
    // Two cores are shared with Postgres and Temporal; more workers only make the slow ones slower.
    maxWorkers: 2,
    testTimeout: 30_000,
    hookTimeout: 60_000,
    // Temporal's workers end their polls first.
    teardownTimeout: 30_000,
  },
});
