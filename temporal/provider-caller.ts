import { type Client, isGrpcServiceError, ServiceError, WorkflowFailedError } from '@temporalio/client';
import { v4 as uuidv4 } from 'uuid';
import { CORE_TASK_QUEUE } from '../domain/ids.ts';
import type { ProviderCall, ProviderCallAnswer } from '../domain/provider-call.ts';
import { type ProviderCallInput, WORKFLOW } from '../workflows/messages.ts';
import { type Circuit, TemporalAway } from './circuit.ts';

/** Longer than a site's workers may take to accept the call and answer it. */
const LIMIT_MS = 35_000;
/** Within which Temporal takes the call. */
const TAKEN_WITHIN_MS = 3_000;

/** Makes a call to a provider on the workers of its site; when nobody answers, that is returned as `unreachable`. */
export async function callProviderAt(
  client: Client,
  circuit: Circuit,
  site: string,
  call: ProviderCall,
): Promise<ProviderCallAnswer> {
  const input: ProviderCallInput = { site, call };
  const start = () =>
    client.workflow.start(WORKFLOW.providerCall, {
      workflowId: `provider-call/${uuidv4()}`,
      taskQueue: CORE_TASK_QUEUE,
      args: [input],
      workflowExecutionTimeout: LIMIT_MS,
      staticSummary: `${call.call}: ${call.kind} at site ${site}`,
    });
  try {
    const taken = await circuit.attempt(() => client.withDeadline(Date.now() + TAKEN_WITHIN_MS, start));
    return await client.withDeadline(Date.now() + LIMIT_MS, () => taken.result());
  } catch (error) {
    if (error instanceof WorkflowFailedError) {
      return { ok: false, reason: 'unreachable', message: 'No worker of Defib took the call: see that one runs.' };
    }
    const isAway = error instanceof TemporalAway || error instanceof ServiceError || isGrpcServiceError(error);
    if (!isAway) throw error;
    return { ok: false, reason: 'unreachable', message: 'Temporal does not answer, so no worker could be asked.' };
  }
}
