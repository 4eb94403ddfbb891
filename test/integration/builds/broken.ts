import { upsertMemo, type WorkflowInterceptorsFactory } from '@temporalio/workflow';

/** The same change as patched.ts, but not patched: it can't replay what another build recorded. */
export const interceptors: WorkflowInterceptorsFactory = () => ({
  inbound: [
    {
      async execute(input, next) {
        upsertMemo({ build: 'broken' });
        return next(input);
      },
    },
  ],
});
