import { z } from 'zod';
import { recordPauseAudit } from '../../db/fleet/check-settings.ts';
import { PEOPLE } from '../../domain/roles.ts';
import type { Delivery } from '../../temporal/vm-signals.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { type Endpoint, earlierPathOf, endpoint, ok } from '../endpoint.ts';
import { unavailable } from '../problems.ts';
import { authorOf, identityOf, requireVm } from '../request-context.ts';
import { text } from '../schemas/fields.ts';

const TAG = 'Watching';
const pauseInput = z.strictObject({ reason: text(500) });

/** Asking a VM's workflow for a look, a pause and its end. */
export function watchingEndpoints(deps: ApiDependencies, prefix: string, suffix: string): Endpoint[] {
  const lookNow = endpoint({
    id: `lookNow${suffix}`,
    method: 'post',
    path: `${prefix}/:id/look-now`,
    tag: TAG,
    summary: 'Looks at every enabled check at once',
    roles: PEOPLE,
    answers: { 202: { description: 'Requested', schema: z.object({ requested: z.literal(true) }) } },
  }).handle(async (call) => {
    const vm = await requireVm(deps, call);
    requireDelivered(await deps.temporal.lookNow(identityOf(vm)));
    return { status: 202, body: { requested: true } };
  });

  const pause = endpoint({
    id: `pauseVm${suffix}`,
    method: 'post',
    path: `${prefix}/:id/pause`,
    tag: TAG,
    summary: 'Stops looking at a VM and healing it until it is resumed',
    roles: PEOPLE,
    body: pauseInput,
    answers: { 200: { description: 'Paused', schema: z.object({ paused: z.literal(true), reason: z.string() }) } },
  }).handle(async (call) => {
    const vm = await requireVm(deps, call);
    const { reason } = call.body;
    requireDelivered(await deps.temporal.pause(identityOf(vm), reason));
    await recordPauseAudit(deps.database, vm.id, 'vm_paused', { reason }, authorOf(call));
    return ok({ paused: true, reason });
  });

  const resume = endpoint({
    id: `resumeVm${suffix}`,
    method: 'post',
    path: `${prefix}/:id/resume`,
    tag: TAG,
    summary: 'Looks at a paused VM again',
    roles: PEOPLE,
    answers: { 200: { description: 'Resumed', schema: z.object({ paused: z.literal(false) }) } },
  }).handle(async (call) => {
    const vm = await requireVm(deps, call);
    requireDelivered(await deps.temporal.resume(identityOf(vm)));
    await recordPauseAudit(deps.database, vm.id, 'vm_resumed', {}, authorOf(call));
    return ok({ paused: false });
  });

  const checkNow = earlierPathOf(lookNow, { id: `checkNow${suffix}`, path: `${prefix}/:id/check-now` });
  return [lookNow, checkNow, pause, resume];
}

/** These live in the workflow alone: what was not delivered has not happened. @throws AppError `unavailable` */
function requireDelivered(delivery: Delivery): void {
  if (delivery.ok) return;
  throw unavailable('Temporal does not answer, so nothing was done; try again in a moment.', delivery);
}
