import { z } from 'zod';
import { recordCheck, recordCheckDisabled } from '../../db/fleet/check-settings.ts';
import type { CheckRecord, VmRecord } from '../../db/fleet/find-vms.ts';
import type { NewCheck } from '../../db/fleet/vm-registration.ts';
import { AppError } from '../../domain/app-error.ts';
import { PEOPLE } from '../../domain/roles.ts';
import { retryIntervalOf, secondsToAnswer } from '../../domain/watched.ts';
import { announceChange, changedAnswer, unannounced } from '../announcing.ts';
import { completeCheck } from '../check-defaults.ts';
import { checkProblems } from '../check-problems.ts';
import { isAdmin, reachOf, refuseAdminsOnly } from '../check-reach.ts';
import { refuseTrustBy } from '../check-trust.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { type Endpoint, endpoint } from '../endpoint.ts';
import { requireMatch } from '../if-match.ts';
import { tooSlowFor } from '../policy-rules.ts';
import { authorOf, requireVm } from '../request-context.ts';
import { checkAnswer, checkExample, checkTypeField } from '../schemas/checks.ts';
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
    example: { body: { checkType: 'http', target: 'http://192.0.2.7:8080/health', intervalSeconds: 30 } },
    answers: {
      200: { description: 'The check', schema: checkAnswer, example: checkExample },
      202: {
        description: 'The check; its workflow is notified when Temporal answers again',
        schema: unannounced(checkAnswer),
      },
    },
  })
    .judge(async (call) => {
      const { checkType, trusted } = call.body;
      refuseTrustBy(call.caller, [call.body]);
      if (checkType === undefined) return { problems: [], found: null };
      const vm = await requireVm(deps, call);
      const before = checkOf(vm, call.body);
      requireMatch(call.ifMatch, before?.revision ?? null);
      const { role } = call.caller;
      const reach = await reachOf(deps.database, call.caller, vm.address);
      const check = completeCheck({ ...call.body, checkType }, role, before && toSettings(before));
      const aimOf = (of: typeof check) => deps.checks.aim({ ...of, target: of.target ?? null }, vm.address);
      const aims = { before: before ? aimOf(toSettings(before)) : null, after: aimOf(check) };
      // trust is about one aim: a check whose aim changes loses it
      if (aims.before !== aims.after) check.trusted = trusted ?? false;
      const switches = before !== undefined && before.enabled !== check.enabled;
      if (before && (switches || aims.before !== aims.after)) refuseAdminsOnly(deps.checks, before, reach);
      const setBy = check.aimedBy ?? role;
      const problems = checkProblems(deps.checks, check, { ...reach, byAdmin: isAdmin(setBy) }, '');
      // one that is no slower than before breaks nothing
      const isSlower = !before?.enabled || secondsToAnswer(check) > secondsToAnswer(before);
      if (check.enabled && isSlower) {
        problems.push(...(await tooSlowFor(deps.database, vm.id, secondsToAnswer(check))));
      }
      if (before === undefined && vm.checks.length >= MAX_CHECKS) {
        problems.push({ path: '', message: `The VM has ${MAX_CHECKS} checks, and can't have more.` });
      }
      return { problems, found: { vm, before, check, aims } };
    })
    .handle(async (call) => {
      const { vm, before, check, aims } = call.found;
      const read = { vmId: vm.id, version: vm.settingsVersion };
      const committed = await recordCheck(deps.database, read, check, aims, authorOf(call));
      if (committed === null) return null;
      const isNew = !before?.enabled || aims.before !== aims.after;
      const lookSooner = check.enabled && (isNew || isSooner(check, before));
      const announced = await announceChange(deps, committed, lookSooner);
      const after = checkOf(await requireVm(deps, call), check);
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
      200: { description: 'Disabled', schema: disabledAnswer, example: { disabled: true } },
      202: {
        description: 'Disabled; its workflow is notified when Temporal answers again',
        schema: unannounced(disabledAnswer),
      },
    },
  })
    .judge(async (call) => {
      const checkType = checkTypeField.safeParse(call.params.checkType);
      const problems = checkType.error?.issues.map(({ message }) => ({ path: 'checkType', message })) ?? [];
      if (!checkType.success || call.refused.size > 0) return { problems, found: null };
      const vm = await requireVm(deps, call);
      const check = checkOf(vm, { checkType: checkType.data, name: call.query.name });
      if (check === undefined) throw new AppError('not-found', `VM ${vm.id} has no such ${checkType.data} check.`);
      requireMatch(call.ifMatch, check.revision);
      refuseAdminsOnly(deps.checks, check, await reachOf(deps.database, call.caller, vm.address));
      return { problems, found: { vm, check } };
    })
    .handle(async (call) => {
      const { vm, check } = call.found;
      const read = { vmId: vm.id, version: vm.settingsVersion };
      const committed = await recordCheckDisabled(deps.database, read, check, authorOf(call));
      return committed && changedAnswer({ disabled: true }, await announceChange(deps, committed, false));
    });

  return [configure, disable];
}

/** Whether a check is looked at more often than before, now or once it fails. */
function isSooner(check: NewCheck, before: CheckRecord): boolean {
  return check.intervalSeconds < before.intervalSeconds || retryIntervalOf(check) < retryIntervalOf(before);
}

/** The check of that type and name; without a name, the one that is addressed by its type alone. */
function checkOf(
  vm: VmRecord,
  { checkType, name = '' }: { checkType?: string | undefined; name?: string | undefined },
): CheckRecord | undefined {
  return vm.checks.find((check) => check.checkType === checkType && check.name === name);
}

/** What is stored of a check's settings, without its state. */
function toSettings(check: CheckRecord): NewCheck {
  const { checkType, name, target, intervalSeconds, retryIntervalSeconds, timeoutSeconds, failureThreshold } = check;
  const { successThreshold, staleAfterSeconds, options, enabled, trusted, aimedBy } = check;
  return {
    checkType,
    name,
    target,
    intervalSeconds,
    retryIntervalSeconds,
    timeoutSeconds,
    failureThreshold,
    successThreshold,
    staleAfterSeconds,
    options,
    enabled,
    trusted,
    aimedBy,
  };
}
