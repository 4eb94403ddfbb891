import { recordAnnounced } from '../../db/fleet/vm-changes.ts';
import { recordVm, withdrawVm } from '../../db/fleet/vm-registration.ts';
import type { Problem } from '../../domain/app-error.ts';
import type { Reach } from '../../domain/reach.ts';
import { PEOPLE } from '../../domain/roles.ts';
import { completeCheck, defaultChecks } from '../check-defaults.ts';
import { checkListProblems } from '../check-problems.ts';
import { reachOf } from '../check-reach.ts';
import { refuseTrustBy } from '../check-trust.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { type Endpoint, endpoint } from '../endpoint.ts';
import type { Sound } from '../parse-request.ts';
import { unavailable } from '../problems.ts';
import { authorOf, requireVm } from '../request-context.ts';
import { newVmAnswer, newVmInput, vmExample } from '../schemas/vms.ts';
import { toOneVmAnswer } from '../vm-answer.ts';
import { conflictOf, judgeProvider } from '../vm-provider.ts';

/** Replaces an address that the schema refuses, so that the checks can still be judged: as those of a VM with a host name. */
const SOME_NAME = 'vm.invalid';

/** Registers a VM: stores it, then starts its workflow. When the workflow can't be started, the VM is removed again. */
export function vmRegistration(deps: ApiDependencies): Endpoint {
  return endpoint({
    id: 'registerVm',
    method: 'post',
    path: '/api/vms',
    tag: 'VMs',
    summary: 'Registers a VM and starts watching it',
    roles: PEOPLE,
    body: newVmInput,
    example: {
      body: {
        name: 'web-1',
        address: '192.0.2.7',
        externalId: '104',
        tags: ['prod'],
        provider: { kind: 'none' },
        checks: [{ checkType: 'http', target: 'http://192.0.2.7:8080/health', intervalSeconds: 30 }],
      },
    },
    answers: {
      201: {
        description: "The VM, and once its agent's token",
        schema: newVmAnswer,
        example: { ...vmExample, agentToken: 'defib_example-of-a-token', warnings: [] },
      },
    },
  })
    .judge(async ({ caller, body, refused }) => {
      refuseTrustBy(caller, body.checks ?? []);
      const address = refused.has('address') ? SOME_NAME : (body.address ?? null);
      const site = body.site ?? deps.settings.DEFIB_SITE;
      const { problems, found } = await judgeProvider(deps, caller, body.provider, site);
      const reach = await reachOf(deps.database, caller, address);
      return { problems: [...problems, ...newCheckProblems(deps.checks, body.checks, reach)], found };
    })
    .handle(async (call) => {
      const { body, caller, nowMs, found } = call;
      const { provider } = found.stored;
      const { checks = defaultChecks(body.address ?? null), provider: _, ...sent } = body;
      const { DEFIB_SITE, AGENT_REPORT_INTERVAL_SECONDS } = deps.settings;
      const preset = { site: DEFIB_SITE, reportIntervalSeconds: AGENT_REPORT_INTERVAL_SECONDS };
      const vm = { ...preset, ...sent, ...found.stored };
      const { site, name } = vm;
      const author = authorOf(call);
      const completed = checks.map((check) => completeCheck(check, caller.role));
      const registered = await recordVm(deps.database, vm, completed, author);
      if (!registered.ok) throw conflictOf(registered.conflicts, provider);

      const { id, agentToken } = registered;
      const { tenantId } = caller;
      const delivery = await deps.temporal.announce({ vmId: id, tenantId, site, name, version: 1, lookSooner: true });
      if (!delivery.ok) {
        await withdrawVm(deps.database, id, author);
        throw unavailable('Temporal does not answer, so the VM was not registered; try again in a moment.', delivery);
      }
      await recordAnnounced(deps.database.pool, id, 1);
      const stored = await requireVm(deps, { caller, nowMs, params: { id } });
      return {
        status: 201,
        headers: { Location: `/api/vms/${id}` },
        body: { ...(await toOneVmAnswer(deps.database, stored, caller, nowMs)), agentToken, warnings: found.warnings },
      };
    });
}

/** The problems of the given checks, or of the default ones; those can only come from the address. */
function newCheckProblems(
  rules: ApiDependencies['checks'],
  checks: Sound<typeof newVmInput>['checks'],
  reach: Reach,
): Problem[] {
  if (checks !== undefined) return checkListProblems(rules, checks, reach);
  const problems = checkListProblems(rules, defaultChecks(reach.vmAddress), reach);
  return problems.map(({ message }) => ({ path: 'address', message }));
}
