import { patched, upsertMemo, type WorkflowInterceptorsFactory } from '@temporalio/workflow';

/** What makes a build of today's workflows differ from another: new runs mark themselves, and that change is patched. */
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
