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
  const queue = site === null ? {} : { taskQueue: siteTaskQueue(site) };
  return proxyActivities<ProviderActivities>({ ...ONCE, ...queue, summary });
}

/** Why a call to a provider was not answered, as people read it. Throws what is not about the call. */
export function whyUnanswered(site: string, error: unknown): string {
  if (!(error instanceof ActivityFailure)) throw error;
  const { cause } = error;
  const notTaken = cause instanceof TimeoutFailure && cause.timeoutType === TimeoutType.SCHEDULE_TO_START;
  return notTaken ? `no worker of site ${site} took the question within ${TAKEN_WITHIN_SECONDS} s` : String(cause);
}

/** One call of a person's to a provider instance at a site that the API is not at. */
export async function providerCall({ site, call }: ProviderCallInput): Promise<ProviderCallAnswer> {
  try {
    return await providerActivities(site, `${call.call}: ${call.kind}`).callProvider(call);
  } catch (error) {
    return { ok: false, reason: 'unreachable', message: whyUnanswered(site, error) };
  }
}
