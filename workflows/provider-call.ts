import { ActivityFailure, TimeoutFailure, TimeoutType } from '@temporalio/common';
import { type ActivityInterfaceFor, type ActivityOptions, proxyActivities } from '@temporalio/workflow';
import type { ProviderActivities } from '../activities/contract.ts';
import { siteTaskQueue } from '../domain/ids.ts';
import type { ProviderCallAnswer } from '../domain/provider-call.ts';
import type { ProviderCallInput } from './messages.ts';

const TAKEN_WITHIN_SECONDS = 10;

/** At most once: whatever happens to an attempt, Temporal never makes a second one. */
const ONCE = {
  scheduleToStartTimeout: TAKEN_WITHIN_SECONDS * 1000,
  startToCloseTimeout: '20 seconds',
  retry: { maximumAttempts: 1 },
  priority: { priorityKey: 1 },
} satisfies ActivityOptions;

/** What is asked of a provider, on the workers of its site (null = of any); each call is made at most once. */
export function providerActivities(site: string | null, summary: string): ActivityInterfaceFor<ProviderActivities> {
  return proxyActivities<ProviderActivities>({ ...ONCE, ...queueOf(site), summary });
}

function queueOf(site: string | null): Pick<ActivityOptions, 'taskQueue'> {
  return site === null ? {} : { taskQueue: siteTaskQueue(site) };
}

/** Reading back is retried until it is answered, but not for long: without an answer, the next looks judge the operation. */
const READ_BACK = {
  scheduleToCloseTimeout: '40 seconds',
  startToCloseTimeout: '15 seconds',
  priority: { priorityKey: 1 },
} satisfies ActivityOptions;

/** What reads an operation in doubt back, on the workers of its site (null = of any). */
export function readBackActivities(site: string | null): Pick<ActivityInterfaceFor<ProviderActivities>, 'readBack'> {
  return proxyActivities<ProviderActivities>({
    ...READ_BACK,
    ...queueOf(site),
    summary: 'in doubt: asks the hypervisor whether it was done',
  });
}

/** Why a call to a provider was not answered, as people read it. Throws what is not about the call. */
export function whyUnanswered(site: string, error: unknown): string {
  if (!(error instanceof ActivityFailure)) throw error;
  return wasTaken(error)
    ? String(error.cause)
    : `no worker of site ${site} took the question within ${TAKEN_WITHIN_SECONDS} s: start a worker there, or correct the site`;
}

/** Whether a worker may have begun with a call that was not answered. */
export function wasTaken(error: unknown): boolean {
  const cause = error instanceof ActivityFailure ? error.cause : undefined;
  return !(cause instanceof TimeoutFailure && cause.timeoutType === TimeoutType.SCHEDULE_TO_START);
}

/** A person's call to a provider at a site other than the API's. */
export async function providerCall({ site, call }: ProviderCallInput): Promise<ProviderCallAnswer> {
  try {
    return await providerActivities(site, `${call.call}: ${call.kind}`).callProvider(call);
  } catch (error) {
    return { ok: false, reason: 'unreachable', message: whyUnanswered(site, error) };
  }
}
