import { patched, upsertMemo, type WorkflowInterceptorsFactory } from '@temporalio/workflow';

/** Makes a build that differs from another: new runs set a marker, and that change is patched. */
export const interceptors: WorkflowInterceptorsFactory = () => ({
  inbound: [
    {
      async execute(input, next) {
        if (patched('marks-its-runs')) upsertMemo({ build: 'with a patch' });
        return next(input);
      },
    },
  ],
});
