import { z } from 'zod';
import type { AimChange } from '../../db/fleet/begin-anew.ts';
import { findVms, type VmRecord } from '../../db/fleet/find-vms.ts';
import { recordVmChanged, recordVmDeleted, type VmChange } from '../../db/fleet/vm-changes.ts';
import type { Problem } from '../../domain/app-error.ts';
import { PEOPLE, type Role } from '../../domain/roles.ts';
import { announceChange, announceDeletion, changedAnswer, unannounced } from '../announcing.ts';
import type { Caller } from '../caller.ts';
import { checkProblems } from '../check-problems.ts';
import { isAdmin, reachOf, refuseAdminsOnly } from '../check-reach.ts';
import { BY_ID, readPage } from '../cursor.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { type Endpoint, endpoint, ok } from '../endpoint.ts';
import { etagOf, requireMatch } from '../if-match.ts';
import { authorOf, requireVm } from '../request-context.ts';
import { changedVmAnswer, vmAnswer, vmChangeInput, vmExample, vmListAnswer, vmListQuery } from '../schemas/vms.ts';
import { toOneVmAnswer, toVmAnswers, weightOfVm } from '../vm-answer.ts';
import { conflictOf, judgeProvider, refuseToMove } from '../vm-provider.ts';

const TAG = 'VMs';
const deletedAnswer = z.object({ deleted: z.literal(true) });

/** Reading, changing and deleting VMs; `vm-registration.ts` makes them. */
export function vmEndpoints(deps: ApiDependencies): Endpoint[] {
  const list = endpoint({
    id: 'listVms',
    method: 'get',
    path: '/api/vms',
    tag: TAG,
    summary: "The tenant's VMs, oldest first",
    roles: PEOPLE,
    query: vmListQuery,
    example: { query: { status: 'HEALTHY', q: 'web', tag: 'prod', limit: 100 } },
    answers: {
      200: {
        description: 'At most 1,000 at a time; go on with cursor=nextCursor',
        schema: vmListAnswer,
        example: { vms: [vmExample], nextCursor: null },
      },
    },
  }).handle(async ({ caller, query, nowMs }) => {
    const { status = null, q = null, tag = null, provider = null } = query;
    const { page, nextCursor } = await readPage(
      query,
      BY_ID,
      (afterId, limit) =>
        findVms(deps.database.pool, caller.tenantId, { status, q, tag, provider, afterId, limit }, nowMs),
      weightOfVm,
    );
    return ok({ vms: await toVmAnswers(deps.database, page, caller, nowMs), nextCursor });
  });

  const read = endpoint({
    id: 'readVm',
    method: 'get',
    path: '/api/vms/:id',
    tag: TAG,
    summary: 'One VM, by id or externalId',
    roles: PEOPLE,
    answers: { 200: { description: 'The VM', schema: vmAnswer, example: vmExample } },
  }).handle(async (call) => {
    const vm = await requireVm(deps, call);
    return {
      ...ok(await toOneVmAnswer(deps.database, vm, call.caller, call.nowMs)),
      headers: { ETag: etagOf(vm.revision) },
    };
  });

  const change = endpoint({
    id: 'changeVm',
    method: 'patch',
    path: '/api/vms/:id',
    tag: TAG,
    summary: "Changes a VM's own settings; absent fields stay, null clears",
    roles: PEOPLE,
    body: vmChangeInput,
    example: { body: { tags: ['prod', 'web'], host: null } },
    answers: {
      200: {
        description: 'Changed',
        schema: changedVmAnswer,
        example: { ...vmExample, tags: ['prod', 'web'], revision: 2, warnings: [] },
      },
      202: { description: 'Changed; its workflow is notified when Temporal answers again', schema: changedVmAnswer },
    },
  })
    .judge(async (call) => {
      const { caller, body } = call;
      const vm = await requireVm(deps, call);
      requireMatch(call.ifMatch, vm.revision);
      const site = body.site ?? vm.site;
      // the same reference may be another VM at another site, so it is registered there again
      const moved = site !== vm.site && vm.providerInstance === null ? vm.provider : undefined;
      const sent = body.provider ?? (moved as typeof body.provider);
      if (sent !== undefined) refuseToMove(vm, caller);
      const { found: provider, problems } = await judgeProvider(deps, caller, sent, site);
      return {
        problems: [...problems, ...(await addressProblems(deps, caller, vm, body.address))],
        found: { vm, provider },
      };
    })
    .handle(async (call) => {
      const { caller, nowMs, found } = call;
      const { provider: _, stoppedOnPurpose, ...settings } = call.body;
      const change: VmChange = { ...settings, ...found.provider?.stored };
      if (stoppedOnPurpose !== undefined) change.stoppedOnPurposeAt = stoppedOnPurpose ? new Date(nowMs) : null;
      const read = { vmId: found.vm.id, version: found.vm.settingsVersion };
      const aimChanges = aimChangesBy(deps.checks, found.vm, change.address, caller.role);
      const changed = await recordVmChanged(deps.database, read, change, aimChanges, authorOf(call));
      if (!changed.ok) throw conflictOf(changed.conflicts, change.provider ?? found.vm.provider);
      if (changed.vm === null) return null;
      // only checks that begin anew are due sooner
      const lookSooner = stoppedOnPurpose === false || aimChanges.length > 0;
      const announced = await announceChange(deps, changed.vm, lookSooner);
      const after = await requireVm(deps, call);
      const answer = await toOneVmAnswer(deps.database, after, caller, nowMs);
      return changedAnswer({ ...answer, warnings: found.provider?.warnings ?? [] }, announced);
    });

  const remove = endpoint({
    id: 'deleteVm',
    method: 'delete',
    path: '/api/vms/:id',
    tag: TAG,
    summary: 'Stops watching a VM, frees its names and revokes its agent token',
    roles: PEOPLE,
    answers: {
      200: { description: 'Deleted', schema: deletedAnswer, example: { deleted: true } },
      202: {
        description: 'Deleted; its workflow ends when Temporal answers again',
        schema: unannounced(deletedAnswer),
      },
    },
  })
    .judge(async (call) => {
      const vm = await requireVm(deps, call);
      requireMatch(call.ifMatch, vm.revision);
      // with the VM goes what only administrators set
      refuseToMove(vm, call.caller);
      const reach = await reachOf(deps.database, call.caller, vm.address);
      for (const check of vm.checks) refuseAdminsOnly(deps.checks, check, reach);
      return { problems: [], found: { vmId: vm.id, version: vm.settingsVersion } };
    })
    .handle(async (call) => {
      const vm = await recordVmDeleted(deps.database, call.found, authorOf(call));
      return vm && changedAnswer({ deleted: true }, await announceDeletion(deps, vm));
    });

  return [list, read, change, remove];
}

/** Those of a VM's checks whose aim changes with its new address. */
function aimChangesBy(
  rules: ApiDependencies['checks'],
  vm: VmRecord,
  address: string | null | undefined,
  by: Role,
): AimChange[] {
  if (address === undefined) return [];
  return vm.checks
    .map((check) => ({
      checkId: check.id,
      by,
      before: rules.aim(check, vm.address),
      after: rules.aim(check, address),
    }))
    .filter(({ before, after }) => before !== after);
}

/**
 * The problems that a VM's checks have with its new address. Checks that it aims elsewhere are then the caller's.
 * @throws AppError `forbidden` when it moves a check that only an administrator may set
 */
async function addressProblems(
  { checks: rules, database }: Pick<ApiDependencies, 'checks' | 'database'>,
  caller: Caller,
  vm: VmRecord,
  address: string | null | undefined,
): Promise<Problem[]> {
  if (address === undefined || address === vm.address) return [];
  const before = await reachOf(database, caller, vm.address);
  const moved = new Set(aimChangesBy(rules, vm, address, caller.role).map(({ checkId }) => checkId));
  const problems = vm.checks.flatMap((check) => {
    if (!check.enabled) return [];
    const aims = moved.has(check.id);
    if (aims) refuseAdminsOnly(rules, check, before);
    const byAdmin = aims ? before.byAdmin : isAdmin(check.aimedBy);
    return checkProblems(rules, check, { ...before, vmAddress: address, byAdmin }, '');
  });
  return problems.map(({ message }) => ({ path: 'address', message: `does not fit its checks: ${message}` }));
}
