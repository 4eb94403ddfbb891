import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: [
      'test/activities/{ask-provider,carry-out,carry-out-qemu,decide,heal-away,heal-facts,operation-ends,verify}.test.ts',
      'test/db/lock-order.test.ts',
    ],
    globalSetup: ['test/support/global-setup.ts'],
    testTimeout: 30_000,
    hookTimeout: 60_000,
    isolate: false,
  },
});
