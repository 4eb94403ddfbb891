import type { CheckFact, Facts } from './facts.ts';
import { type Policy, triggers } from './policy.ts';

/** The checks whose failures count towards a power action: about being alive, and failing as often as the policy wants. */
export function evidenceIn({ checks }: Pick<Facts, 'checks'>, policy: Policy): CheckFact[] {
  return checks.filter((check) => check.about === 'alive' && triggers(policy, check.consecutiveFailures));
}
