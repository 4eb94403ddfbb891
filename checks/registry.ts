import type { Reach } from '../domain/reach.ts';
import { agent } from './agent.ts';
import { aimOf } from './aim.ts';
import type { Check, CheckProblem, CheckRules, CheckSettings, Probe, ProbeDependencies } from './check.ts';
import { ownAddresses } from './egress.ts';
import { type EgressSettings, foreseeableRefusal } from './egress-rules.ts';
import { http } from './http.ts';
import { ping } from './ping.ts';
import { quoted } from './target.ts';
import { tcp } from './tcp.ts';

/** Every check. The types that the API knows, its documents, rules and probes follow from this list. */
const CHECKS: readonly Check[] = [ping, tcp, http, agent];

const BY_TYPE: ReadonlyMap<string, Check> = new Map(CHECKS.map((check) => [check.type, check]));

/** The types of check that there are. */
export const CHECK_TYPES: readonly string[] = CHECKS.map(({ type }) => type);

/** For documents, which checks take a target and what it is: `tcp: the port; http: a path or URL`. */
export const TARGETS_IN_WORDS = inWords(({ targetIs }) => targetIs);

/** For documents, which checks have options: `http: followRedirects, verifyTls`. */
export const OPTIONS_IN_WORDS = inWords(({ options }) => Object.keys(options.shape).join(', '));

/** Every check, ready to probe, by its type. Create once per process: pings of all VMs share processes. */
export function createProbes(dependencies: ProbeDependencies): ReadonlyMap<string, Probe> {
  return new Map(
    CHECKS.map((check) => {
      const { type, about, needsCorroboration, needs } = check;
      return [type, { about, needsCorroboration, needs, probe: check.createProbe(dependencies) }];
    }),
  );
}

/** The rules of all checks, on a machine with these egress settings. */
export function createCheckRules(settings: EgressSettings): CheckRules {
  return {
    problems: checkProblems,
    refusal: (check, reach) => targetRefusal(settings, check, reach),
    aim: (check, address) => aimOf(BY_TYPE.get(check.checkType), check, address),
  };
}

/** Every problem with a check's type, target and options; empty when fine. Pure. */
export function checkProblems({ checkType, target, options }: CheckSettings, address: string | null): CheckProblem[] {
  const check = BY_TYPE.get(checkType);
  if (check === undefined) return [{ field: 'checkType', message: `Unknown check type: ${checkType.slice(0, 60)}` }];
  const read = check.readTarget(target, address);
  const ofTarget = [...(read.ok ? [] : read.problems), ...check.problems(address)];
  return [
    ...ofTarget.map((message) => ({ field: 'target' as const, message })),
    ...optionProblems(check, options).map((message) => ({ field: 'options' as const, message })),
  ];
}

/**
 * Why the egress rules would refuse what this check connects to, as far as that is known before it probes. Null when they
 * would not, when only a probe finds out, and for targets that `checkProblems` objects to.
 * @throws when the allow list can't be read
 */
export function targetRefusal(
  settings: EgressSettings,
  { checkType, target }: CheckSettings,
  reach: Reach,
  machineAddresses: readonly string[] = ownAddresses(),
): string | null {
  const check = BY_TYPE.get(checkType);
  const { vmAddress } = reach;
  const read = check?.readTarget(target, vmAddress);
  const endpoint = check && read?.ok ? check.endpoint(read.value, vmAddress) : null;
  return endpoint && foreseeableRefusal(settings, endpoint, reach, machineAddresses);
}

/** A sentence for every option that the check does not have, or that is not what it should be. */
function optionProblems({ type, options: { shape } }: Check, given: CheckSettings['options']): string[] {
  const known = Object.keys(shape);
  const choices = known.length === 0 ? 'It has none' : `It has: ${known.join(', ')}`;
  return Object.entries(given).flatMap(([name, value]) => {
    const field = Object.hasOwn(shape, name) ? shape[name] : undefined;
    if (field === undefined) return [`The ${type} check has no option ${quoted(name)}. ${choices}.`];
    const issues = field.safeParse(value).error?.issues ?? [];
    return issues.map(({ message }) => `The option ${quoted(name)} ${message}.`);
  });
}

function inWords(of: (check: Check) => string | null): string {
  return CHECKS.flatMap((check) => (of(check) ? [`${check.type}: ${of(check)}`] : [])).join('; ');
}
