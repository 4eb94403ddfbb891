import { ApplicationFailure, ApplicationFailureCategory } from '@temporalio/common';

/** Failure type of an attempt without news. */
export const STEADY = 'Steady';

/** No news: the next retry is the next time, and this message is what an operator reads in the Web UI. */
export function steady(line: string, nextInMs: number): ApplicationFailure {
  const failure = ApplicationFailure.create({
    type: STEADY,
    message: line,
    category: ApplicationFailureCategory.BENIGN,
    nextRetryDelay: Math.max(1, Math.round(nextInMs)),
  });
  failure.stack = '';
  return failure;
}
