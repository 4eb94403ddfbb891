import type { Remedy } from '../choose-remedy.ts';
import type { Facts } from '../facts.ts';
import type { Policy } from '../policy.ts';

/** What a guard is asked: the facts, the policy that applies and the remedy it would take. */
export interface Case {
  facts: Facts;
  policy: Policy;
  remedy: Remedy;
}

/** A guard's objection: a code for machines, a sentence for people, and what would change its mind. */
export interface Objection {
  reason: string;
  sentence: string;
  wouldChange: string;
  lookAgainInMs: number;
}

/** One reason not to heal. Pure; null = no objection. */
export interface Guard {
  readonly reason: string;
  objectionTo(asked: Case, nowMs: number): Objection | null;
}
