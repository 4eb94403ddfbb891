import { z } from 'zod';
import { findVms } from '../../db/fleet/find-vms.ts';
import { recordVmChanged, recordVmDeleted, type VmChange } from '../../db/fleet/vm-changes.ts';
import type { NewVm, VmConflict } from '../../db/fleet/vm-registration.ts';
import { AppError, type Problem } from '../../domain/app-error.ts';
import { announceChange, announceDeletion, changedAnswer, unannounced } from '../announcing.ts';
import { type Caller, mayNameSockets, PEOPLE } from '../caller.ts';
import { checkListProblems } from '../check-problems.ts';
import { fromCursor, idPosition, toPage } from '../cursor.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { type Call, type Endpoint, endpoint, ok } from '../endpoint.ts';
import { badRequest } from '../parse-request.ts';
import { authorOf, requireVm, retryOnConflict } from '../request-context.ts';
import {
  inspectableVm,
  type VmChangeInput,
  vmAnswer,
  vmChangeInput,
  vmListAnswer,
  vmListQuery,
} from '../schemas/vms.ts';
import { toVmAnswer } from '../vm-answer.ts';

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
    answers: { 200: { description: 'At most 1,000 at a time; go on with cursor=nextCursor', schema: vmListAnswer } },
  }).handle(async ({ caller, query, nowMs }) => {
    const { status = null, q = null, tag = null, provider = null, limit } = query;
    const afterId = fromCursor(query.cursor, idPosition)?.[0] ?? null;
    const filter = { status, q, tag, provider, afterId, limit: limit + 1 };
    const rows = await findVms(deps.database.pool, caller.tenantId, filter, nowMs);
    const { page, nextCursor } = toPage(rows, limit, (vm) => [vm.id]);
    return ok({ vms: page.map((vm) => toVmAnswer(vm, caller, nowMs)), nextCursor });
  });

  const read = endpoint({
    id: 'readVm',
    method: 'get',
    path: '/api/vms/:id',
    tag: TAG,
    summary: 'One VM, by id or externalId',
    roles: PEOPLE,
    answers: { 200: { description: 'The VM', schema: vmAnswer } },
  }).handle(async (call) => ok(toVmAnswer(await requireVm(deps, call), call.caller, call.nowMs)));

  const change = endpoint({
    id: 'changeVm',
    method: 'patch',
    path: '/api/vms/:id',
    tag: TAG,
    summary: "Changes a VM's own settings; absent fields stay, null clears",
    roles: PEOPLE,
    body: vmChangeInput,
    answers: {
      200: { description: 'Changed', schema: vmAnswer },
      202: { description: 'Changed; looks hear of it when Temporal is back', schema: vmAnswer },
    },
    inspect: async ({ caller, body }) => vmProblems(deps, caller, body, null),
  }).handle(async (call) => {
    const vm = await retryOnConflict(() => changeOnce(deps, call));
    // only a VM that is meant to run again is due sooner
    const announced = await announceChange(deps, vm, call.body.stoppedOnPurpose === false);
    return changedAnswer(toVmAnswer(await requireVm(deps, call), call.caller, call.nowMs), announced);
  });

  const remove = endpoint({
    id: 'deleteVm',
    method: 'delete',
    path: '/api/vms/:id',
    tag: TAG,
    summary: 'Stops watching a VM, frees its names and revokes its agent token',
    roles: PEOPLE,
    answers: {
      200: { description: 'Deleted', schema: deletedAnswer },
      202: { description: 'Deleted; its workflow ends when Temporal is back', schema: unannounced(deletedAnswer) },
    },
  }).handle(async (call) => {
    const { id } = await requireVm(deps, call);
    const vm = await recordVmDeleted(deps.database, id, authorOf(call));
    if (vm === null) throw new AppError('not-found', `There is no VM "${id}".`);
    return changedAnswer({ deleted: true }, await announceDeletion(deps, vm));
  });

  return [list, read, change, remove];
}

/** Null when the VM was changed since it was read. */
async function changeOnce(deps: ApiDependencies, call: Call<unknown, VmChangeInput>) {
  const vm = await requireVm(deps, call);
  const { provider, stoppedOnPurpose, ...fields } = call.body;
  const said = Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
  const change: VmChange = { ...said, ...(provider ? await resolveProvider(deps, provider) : {}) };
  if (stoppedOnPurpose !== undefined) change.stoppedOnPurposeAt = stoppedOnPurpose ? new Date(call.nowMs) : null;
  if (change.address !== undefined && change.address !== vm.address) {
    const enabled = vm.checks.filter((check) => check.enabled);
    const problems = await checkListProblems(deps.checks, enabled, change.address);
    const told = problems.map(({ message }) => ({ path: 'address', message: `does not fit its checks: ${message}` }));
    if (told.length > 0) throw badRequest(told);
  }
  const changed = await recordVmChanged(
    deps.database,
    { vmId: vm.id, version: vm.settingsVersion },
    change,
    authorOf(call),
  );
  if (!changed.ok) throw conflictOf(changed.conflicts);
  return changed.vm;
}

/**
 * What no schema can say of a VM as it was sent: who may name a socket, which sockets, and what its checks refuse.
 * @throws AppError `forbidden`
 */
export async function vmProblems(
  deps: Pick<ApiDependencies, 'checks' | 'qmpSocket'>,
  caller: Caller,
  body: unknown,
  address: string | null,
): Promise<Problem[]> {
  const parsed = inspectableVm.safeParse(body);
  if (!parsed.success) return [];
  const { provider, checks = [] } = parsed.data;
  const problems: Problem[] = [];
  if (provider?.kind === 'qemu') {
    if (!mayNameSockets(caller)) {
      throw new AppError('forbidden', 'Only administrators may set provider.qmpSocket: it is a file of the host.');
    }
    const judged = await deps.qmpSocket(provider.qmpSocket);
    if (!judged.ok) problems.push({ path: 'provider.qmpSocket', message: judged.message });
  }
  return [...problems, ...(await checkListProblems(deps.checks, checks, address))];
}

/** A provider as it is stored, and the name no other VM may have. */
export async function resolveProvider(
  deps: Pick<ApiDependencies, 'qmpSocket'>,
  provider: NewVm['provider'],
): Promise<Pick<NewVm, 'provider' | 'providerKey'>> {
  if (provider.kind === 'local') return { provider, providerKey: null };
  const judged = await deps.qmpSocket(provider.qmpSocket);
  if (!judged.ok) throw badRequest([{ path: 'provider.qmpSocket', message: judged.message }]);
  return { provider: { kind: 'qemu', qmpSocket: judged.qmpSocket }, providerKey: judged.key };
}

/** Names everything that is taken; of another tenant's VM only that there is one. */
export function conflictOf(conflicts: readonly VmConflict[]): AppError {
  const problems = conflicts.map(({ what, vmId }) => ({
    path: what === 'externalId' ? 'externalId' : 'provider.qmpSocket',
    message: `is registered already${vmId === null ? '' : `, as VM ${vmId}`}`,
  }));
  const told = problems.map(({ path, message }) => `${path} ${message}`).join('; ');
  return new AppError('conflict', told === '' ? 'This VM is registered already.' : told, { problems });
}
