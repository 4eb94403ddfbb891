import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import type { Database } from '../../db/database.ts';
import type { VmRecord } from '../../db/fleet/find-vms.ts';
import { findBeingSent, recordPaused, recordResumed } from '../../db/fleet/pause.ts';
import { AppError } from '../../domain/app-error.ts';
import { PEOPLE } from '../../domain/roles.ts';
import type { UnknownReason } from '../../domain/situation.ts';
import type { Delivery } from '../../temporal/vm-signals.ts';
import { announceChange, changedAnswer, unannounced } from '../announcing.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { type Endpoint, earlierPathOf, endpoint, ok } from '../endpoint.ts';
import { unavailable } from '../problems.ts';
import { authorOf, identityOf, requireVm } from '../request-context.ts';
import { text } from '../schemas/fields.ts';
import { toStatusRow } from '../vm-answer.ts';

const TAG = 'Watching';
const NOT_LOOKED_AT: ReadonlySet<UnknownReason> = new Set(['paused', 'stopped-on-purpose', 'no-checks']);
const pauseInput = z.strictObject({ reason: text(500) });
const pauseAnswer = z.object({
  paused: z.literal(true),
  reason: z.string(),
  sentBefore: z.array(z.string()).describe('operations that were being sent when it was paused; they are over now'),
});
const resumeAnswer = z.object({ paused: z.literal(false) });

/** Asking for a look at once, a pause and its end. */
export function watchingEndpoints(deps: ApiDependencies, prefix: string, suffix: string): Endpoint[] {
  const lookNow = endpoint({
    id: `lookNow${suffix}`,
    method: 'post',
    path: `${prefix}/:id/look-now`,
    tag: TAG,
    summary: 'Looks at every enabled check at once; 409 and why where nothing is looked at',
    roles: PEOPLE,
    answers: {
      202: { description: 'Requested', schema: z.object({ requested: z.literal(true) }), example: { requested: true } },
    },
  }).handle(async (call) => {
    const vm = await requireVm(deps, call);
    requireLookedAt(vm, call.nowMs);
    requireDelivered(await deps.temporal.lookNow(identityOf(vm)));
    return { status: 202, body: { requested: true } };
  });

  const pause = endpoint({
    id: `pauseVm${suffix}`,
    method: 'post',
    path: `${prefix}/:id/pause`,
    tag: TAG,
    summary: 'Stops looking at a VM and healing it until it is resumed: after this answer nothing is sent to it',
    roles: PEOPLE,
    body: pauseInput,
    example: { body: { reason: 'disk is being replaced' } },
    answers: {
      200: {
        description: 'Paused',
        schema: pauseAnswer,
        example: { paused: true, reason: 'disk is being replaced', sentBefore: [] },
      },
    },
  }).handle(async (call) => {
    const vm = await requireVm(deps, call);
    const { reason } = call.body;
    const paused = await recordPaused(deps.database, vm.id, reason, authorOf(call));
    if (paused === null) throw gone(vm.id);
    const sentBefore = await findBeingSent(deps.database, vm.id);
    // the stored pause is effective already; its workflow is notified so that a look under way ends sooner
    await announceChange(deps, paused, true);
    await untilNothingIsSent(deps.database, vm.id);
    return ok({ paused: true, reason, sentBefore });
  });

  const resume = endpoint({
    id: `resumeVm${suffix}`,
    method: 'post',
    path: `${prefix}/:id/resume`,
    tag: TAG,
    summary: 'Looks at a paused VM again',
    roles: PEOPLE,
    answers: {
      200: { description: 'Resumed', schema: resumeAnswer, example: { paused: false } },
      202: { description: 'Resumed; looks begin when Temporal answers again', schema: unannounced(resumeAnswer) },
    },
  }).handle(async (call) => {
    const vm = await requireVm(deps, call);
    const resumed = await recordResumed(deps.database, vm.id, authorOf(call));
    if (resumed === null) throw gone(vm.id);
    const announced = resumed === 'not-paused' || (await announceChange(deps, resumed, true));
    return changedAnswer({ paused: false }, announced);
  });

  const checkNow = earlierPathOf(lookNow, { id: `checkNow${suffix}`, path: `${prefix}/:id/check-now` });
  return [lookNow, checkNow, pause, resume];
}

function gone(id: string): AppError {
  return new AppError('not-found', `There is no VM "${id}".`);
}

const ASK_AGAIN_MS = 100;
const SENDING_IS_OVER_MS = 3_000;

/** Waits for actions that were being sent when the pause was stored: at most 3 s, also where the database's clock was set back. */
async function untilNothingIsSent(database: Database, vmId: string): Promise<void> {
  const untilMs = performance.now() + SENDING_IS_OVER_MS;
  while (performance.now() < untilMs && (await findBeingSent(database, vmId)).length > 0) await sleep(ASK_AGAIN_MS);
}

/** @throws AppError `conflict` where a look that is asked for would never come */
function requireLookedAt(vm: VmRecord, nowMs: number): void {
  if (vm.unknownReason === null || !NOT_LOOKED_AT.has(vm.unknownReason)) return;
  throw new AppError('conflict', toStatusRow(vm, nowMs).reasons[0]?.message ?? vm.unknownReason);
}

/** Only the workflow can look, so a request that was not delivered has no effect. @throws AppError `unavailable` */
function requireDelivered(delivery: Delivery): void {
  if (delivery.ok) return;
  throw unavailable('Temporal does not answer, so nothing was done; try again in a moment.', delivery);
}
