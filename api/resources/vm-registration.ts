import { recordAnnounced } from '../../db/fleet/vm-changes.ts';
import { recordVm, withdrawVm } from '../../db/fleet/vm-registration.ts';
import { PEOPLE } from '../caller.ts';
import { completeCheck, defaultChecks } from '../check-defaults.ts';
import { checkProblems } from '../check-problems.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { type Endpoint, endpoint } from '../endpoint.ts';
import { unavailable } from '../problems.ts';
import { authorOf, requireVm } from '../request-context.ts';
import { inspectableVm, newVmAnswer, newVmInput } from '../schemas/vms.ts';
import { toVmAnswer } from '../vm-answer.ts';
import { conflictOf, resolveProvider, vmProblems } from './vms.ts';

/** Registering a VM: stored, then its workflow started; when that can't be, it is as if nothing had been asked. */
export function vmRegistration(deps: ApiDependencies): Endpoint {
  return endpoint({
    id: 'registerVm',
    method: 'post',
    path: '/api/vms',
    tag: 'VMs',
    summary: 'Registers a VM and starts watching it',
    roles: PEOPLE,
    body: newVmInput,
    answers: { 201: { description: "The VM, and once its agent's token", schema: newVmAnswer } },
    async inspect({ caller, body }) {
      const address = inspectableVm.safeParse(body).data?.address ?? null;
      return [...(await vmProblems(deps, caller, body, address)), ...(await defaultProblems(deps, body, address))];
    },
  }).handle(async (call) => {
    const { body, caller, nowMs } = call;
    const { address = null, checks = defaultChecks(address), externalId = null, host = null, tags = [] } = body;
    const { site = deps.settings.DEFIB_SITE, name } = body;
    const reportIntervalSeconds = body.reportIntervalSeconds ?? deps.settings.AGENT_REPORT_INTERVAL_SECONDS;
    const resolved = await resolveProvider(deps, body.provider);
    const author = authorOf(call);
    const vm = { name, address, externalId, host, tags, site, reportIntervalSeconds, ...resolved };
    const completed = checks.map((check) => completeCheck(check));
    const registered = await recordVm(deps.database, vm, completed, author);
    if (!registered.ok) throw conflictOf(registered.conflicts);

    const { id, agentToken } = registered;
    const { tenantId } = caller;
    const told = await deps.temporal.announce({ vmId: id, tenantId, site, version: 1, lookSooner: true });
    if (!told.ok) {
      await withdrawVm(deps.database, id, author);
      throw unavailable('Temporal does not answer, so the VM was not registered; try again in a moment.', told);
    }
    await recordAnnounced(deps.database.pool, id, 1);
    const stored = await requireVm(deps, { caller, nowMs, params: { id } });
    return {
      status: 201,
      headers: { Location: `/api/vms/${id}` },
      body: { ...toVmAnswer(stored, caller, nowMs), agentToken },
    };
  });
}

/** The checks that a VM gets unasked have to fit as well. */
async function defaultProblems({ checks }: ApiDependencies, body: unknown, address: string | null) {
  const given = inspectableVm.safeParse(body).data;
  if (given === undefined || given.checks !== undefined) return [];
  const problems = await Promise.all(defaultChecks(address).map((check) => checkProblems(checks, check, address, '')));
  return problems.flat().map(({ message }) => ({ path: 'address', message }));
}
