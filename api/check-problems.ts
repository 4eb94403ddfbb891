import type { Problem } from '../domain/app-error.ts';
import type { JsonObject } from '../domain/json-value.ts';
import type { CheckRules } from './dependencies.ts';

/** A check as far as its rules can judge it. */
export interface JudgedCheck {
  checkType: string;
  target?: string | null | undefined;
  options?: JsonObject | undefined;
  intervalSeconds?: number | undefined;
  timeoutSeconds?: number | null | undefined;
}

/** What is wrong with a check beyond its schema: target, options, where it would connect, a timeout past its interval. */
export async function checkProblems(
  rules: CheckRules,
  check: JudgedCheck,
  address: string | null,
  path: string,
): Promise<Problem[]> {
  const { checkType, target = null, options = {}, intervalSeconds, timeoutSeconds } = check;
  const at = (field: string) => (path === '' ? field : `${path}.${field}`);
  const ofTarget = rules.validate({ checkType, target, options: {}, address });
  const ofOptions = rules.validate({ checkType, target, options, address }).filter((one) => !ofTarget.includes(one));
  // where a malformed target leads can't be said
  const refused = ofTarget.length > 0 ? [] : await rules.refuseTarget({ checkType, target, options, address });
  const problems = [
    ...[...ofTarget, ...refused].map((message) => ({ path: at('target'), message })),
    ...ofOptions.map((message) => ({ path: at('options'), message })),
  ];
  const interval = intervalSeconds ?? 60;
  if (timeoutSeconds != null && timeoutSeconds > interval) {
    problems.push({ path: at('timeoutSeconds'), message: `must not be longer than the interval (${interval} s)` });
  }
  return problems;
}

/** The same for a list, and the ones that stand in it twice. One without a type can't be judged: the schema refuses it. */
export async function checkListProblems(
  rules: CheckRules,
  list: readonly (Partial<JudgedCheck> & { name?: string | undefined })[],
  address: string | null,
): Promise<Problem[]> {
  const problems: Problem[] = [];
  const seen = new Set<string>();
  for (const [index, check] of list.entries()) {
    const { checkType, name = '' } = check;
    if (checkType === undefined) continue;
    problems.push(...(await checkProblems(rules, { ...check, checkType }, address, `checks.${index}`)));
    const key = `${checkType}/${name}`;
    if (seen.has(key)) {
      const message = `is a second ${checkType} check of that name; give further ones a name of their own`;
      problems.push({ path: `checks.${index}.name`, message });
    }
    seen.add(key);
  }
  return problems;
}
