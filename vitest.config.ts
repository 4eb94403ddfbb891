import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/support/global-setup.ts'],
    pool: 'forks',
    // Two cores are shared with Postgres and Temporal; more workers only make the slow ones slower.
    maxWorkers: 2,
    testTimeout: 30_000,
    // machines are shared and noisy, and so is the time-skipping server: a fault is what fails twice in a row
    retry: 1,
    hookTimeout: 60_000,
    // Temporal's workers end their polls first.
    teardownTimeout: 30_000,
  },
});
