import type { WorkflowInterceptorsFactory } from '@temporalio/workflow';

/**
 * The time-skipping server (1.31.0) forgets to free an activity's id when it is cancelled in backoff: the next `watch`
 * would fail its workflow task with "Already open activity". Real servers free it, as the integration tests show.
 */
export const interceptors: WorkflowInterceptorsFactory = () => ({
  outbound: [
    {
      scheduleActivity(input, next) {
        const { activityId } = input.options;
        if (activityId === undefined) return next(input);
        return next({ ...input, options: { ...input.options, activityId: `${activityId}-${input.seq}` } });
      },
    },
  ],
});
