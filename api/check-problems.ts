import type { CheckRules } from '../checks/check.ts';
import type { Problem } from '../domain/app-error.ts';
import type { JsonObject } from '../domain/json-value.ts';
import type { Reach } from '../domain/reach.ts';
import { refuseAdminsOnly } from './check-reach.ts';

/** A check as far as its rules can judge it. */
export interface JudgedCheck {
  checkType: string;
  target?: string | null | undefined;
  options?: JsonObject | undefined;
  intervalSeconds?: number | undefined;
  retryIntervalSeconds?: number | null | undefined;
  timeoutSeconds?: number | null | undefined;
}

/**
 * What is wrong with a check beyond its schema: target, options, where it would connect, a timeout past its interval.
 * @throws AppError `forbidden` when it would be right if an administrator set it
 */
export function checkProblems(rules: CheckRules, check: JudgedCheck, reach: Reach, path: string): Problem[] {
  const { checkType, target = null, options = {}, intervalSeconds, retryIntervalSeconds, timeoutSeconds } = check;
  const at = (field: string) => (path === '' ? field : `${path}.${field}`);
  const ofSettings = rules.problems({ checkType, target, options }, reach.vmAddress);
  // where a malformed target leads is not known
  const isMalformed = ofSettings.some(({ field }) => field === 'target');
  if (!isMalformed) refuseAdminsOnly(rules, check, reach);
  const refusal = isMalformed ? null : rules.refusal({ checkType, target, options }, reach);
  const problems = refusal === null ? [] : [{ path: at('target'), message: refusal }];
  problems.push(...ofSettings.map(({ field, message }) => ({ path: at(field), message })));
  const interval = intervalSeconds ?? 60;
  const message = `must not be longer than the interval (${interval} s)`;
  if ((timeoutSeconds ?? 0) > interval) problems.push({ path: at('timeoutSeconds'), message });
  if ((retryIntervalSeconds ?? 0) > interval) problems.push({ path: at('retryIntervalSeconds'), message });
  return problems;
}

/** The same for a list, and the ones that stand in it twice. One without a type can't be judged: the schema refuses it. */
export function checkListProblems(
  rules: CheckRules,
  list: readonly (Partial<JudgedCheck> & { name?: string | undefined })[],
  reach: Reach,
): Problem[] {
  const problems: Problem[] = [];
  const seen = new Set<string>();
  for (const [index, check] of list.entries()) {
    const { checkType, name = '' } = check;
    if (checkType === undefined) continue;
    problems.push(...checkProblems(rules, { ...check, checkType }, reach, `checks.${index}`));
    const key = `${checkType}/${name}`;
    if (seen.has(key)) {
      const message = `is a second ${checkType} check of that name; give further ones a name of their own`;
      problems.push({ path: `checks.${index}.name`, message });
    }
    seen.add(key);
  }
  return problems;
}
