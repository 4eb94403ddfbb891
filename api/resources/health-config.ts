import { z } from 'zod';
import { recordCheck, recordCheckDisabled } from '../../db/fleet/check-settings.ts';
import type { CheckRecord } from '../../db/fleet/find-vms.ts';
import type { NewCheck } from '../../db/fleet/vm-registration.ts';
import { AppError } from '../../domain/app-error.ts';
import { announceChange, changedAnswer, unannounced } from '../announcing.ts';
import { PEOPLE } from '../caller.ts';
import { completeCheck } from '../check-defaults.ts';
import { checkProblems } from '../check-problems.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { type Call, type Endpoint, endpoint } from '../endpoint.ts';
import { badRequest } from '../parse-request.ts';
import { authorOf, requireVm, retryOnConflict } from '../request-context.ts';
import { type CheckInput, checkAnswer, checkTypeField, inspectableCheck } from '../schemas/checks.ts';
import { checkConfigInput, checkNameQuery } from '../schemas/health.ts';
import { MAX_CHECKS } from '../schemas/vms.ts';
import { toCheckAnswer } from '../vm-answer.ts';

const disabledAnswer = z.object({ disabled: z.literal(true) });

/** A VM's checks, addressed by type; further ones of a type by their name as well. */
export function healthConfigEndpoints(deps: ApiDependencies, prefix: string, suffix: string): Endpoint[] {
  const configure = endpoint({
    id: `configureCheck${suffix}`,
    method: 'put',
    path: `${prefix}/:id/health/config`,
    tag: 'Health',
    summary: 'Makes or changes the check of a type; absent fields stay',
    roles: PEOPLE,
    body: checkConfigInput,
    answers: {
      200: { description: 'The check', schema: checkAnswer },
      202: { description: 'The check; looks hear of it when Temporal is back', schema: unannounced(checkAnswer) },
    },
    async inspect(call) {
      const parsed = inspectableCheck.safeParse(call.body);
      if (!parsed.success) return [];
      const vm = await requireVm(deps, call);
      const before = vm.checks.find((check) => isSame(check, parsed.data));
      return checkProblems(deps.checks, completeCheck(parsed.data, before && toSettings(before)), vm.address, '');
    },
  }).handle(async (call) => {
    const { committed, lookSooner } = await retryOnConflict(() => configureOnce(deps, call));
    const announced = await announceChange(deps, committed, lookSooner);
    const after = (await requireVm(deps, call)).checks.find((check) => isSame(check, call.body));
    if (after === undefined) throw new AppError('conflict', 'The check was taken away meanwhile; try again.');
    return changedAnswer(toCheckAnswer(after), announced);
  });

  const disable = endpoint({
    id: `disableCheck${suffix}`,
    method: 'delete',
    path: `${prefix}/:id/health/config/:checkType`,
    tag: 'Health',
    summary: 'Disables a check and keeps its settings; ?name= for further ones of its type',
    roles: PEOPLE,
    query: checkNameQuery,
    answers: {
      200: { description: 'Disabled', schema: disabledAnswer },
      202: { description: 'Disabled; looks hear of it when Temporal is back', schema: unannounced(disabledAnswer) },
    },
    inspect: ({ params }) => {
      const problems = checkTypeField.safeParse(params.checkType).error?.issues ?? [];
      return problems.map(({ message }) => ({ path: 'checkType', message }));
    },
  }).handle(async (call) => {
    const vm = await requireVm(deps, call);
    const wanted = { checkType: call.params.checkType, name: call.query.name };
    const check = vm.checks.find((one) => isSame(one, wanted));
    const committed = check && (await recordCheckDisabled(deps.database, vm.id, check, authorOf(call)));
    if (!committed) throw new AppError('not-found', `VM ${vm.id} has no such ${wanted.checkType} check.`);
    return changedAnswer({ disabled: true }, await announceChange(deps, committed, false));
  });

  return [configure, disable];
}

/** Null when the VM was changed since it was read. */
async function configureOnce(deps: ApiDependencies, call: Call<unknown, CheckInput>) {
  const vm = await requireVm(deps, call);
  const before = vm.checks.find((check) => isSame(check, call.body));
  if (before === undefined && vm.checks.length >= MAX_CHECKS) {
    throw badRequest([{ path: '', message: `The VM has ${MAX_CHECKS} checks, and can't have more.` }]);
  }
  const check = completeCheck(call.body, before && toSettings(before));
  const problems = await checkProblems(deps.checks, check, vm.address, '');
  if (problems.length > 0) throw badRequest(problems);
  const read = { vmId: vm.id, version: vm.settingsVersion };
  const committed = await recordCheck(deps.database, read, check, authorOf(call));
  const lookSooner = check.enabled && (!before?.enabled || check.intervalSeconds < before.intervalSeconds);
  return committed && { committed, lookSooner };
}

function isSame(check: CheckRecord, wanted: { checkType?: string | undefined; name?: string | undefined }): boolean {
  return check.checkType === wanted.checkType && check.name === (wanted.name ?? '');
}

/** What is stored of a check's settings, without its state. */
function toSettings(check: CheckRecord): NewCheck {
  const { checkType, name, target, intervalSeconds, timeoutSeconds, failureThreshold, successThreshold } = check;
  const { staleAfterSeconds, options, enabled } = check;
  return {
    checkType,
    name,
    target,
    intervalSeconds,
    timeoutSeconds,
    failureThreshold,
    successThreshold,
    staleAfterSeconds,
    options,
    enabled,
  };
}
