import { defineConfig } from 'vitest/config';
import { environment } from '../../local/environment.mjs';

/** For main.ts: plays a campaign, and no tests. */
export default defineConfig({
  test: {
    include: ['test/simulation/campaign.sim.ts'],
    globalSetup: ['test/support/global-setup.ts'],
    provide: { campaign: JSON.parse(environment['DEFIB_SIMULATE'] ?? '{}') },
    pool: 'forks',
    testTimeout: 24 * 3_600_000,
    hookTimeout: 60_000,
    disableConsoleIntercept: true,
  },
});
