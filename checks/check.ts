import type { z } from 'zod';
import type { HeartbeatFacts } from '../domain/agent-staleness.ts';
import { type CheckTraits, TRAITS_OF_UNKNOWN_TYPE, type TraitsOf } from '../domain/check-traits.ts';
import type { JsonObject } from '../domain/json-value.ts';
import type { ProbeResult } from '../domain/probe-result.ts';
import type { Reach } from '../domain/reach.ts';
import type { Egress } from './egress.ts';
import type { Endpoint } from './egress-rules.ts';
import type { FpingOptions } from './fping.ts';
import type { Read } from './target.ts';

/** What a probe may need from elsewhere, by name. Where each comes from: activities/look/facts.ts. */
export interface ProbeFacts {
  heartbeat: HeartbeatFacts;
}
/** The name of a fact. */
export type FactName = keyof ProbeFacts;

/** What a probe is given. It is given everything: a probe reads no clock for decisions, no settings and no database. */
export interface ProbeInput<Needs extends FactName = never, Options = JsonObject> {
  /** The VM's own address (IP literal or host name); null when it has none. */
  address: string | null;
  /** As the user set it. */
  target: string | null;
  timeoutMs: number;
  options: Options;
  /** On whose behalf it connects. */
  reach: Omit<Reach, 'vmAddress'>;
  /** When this probe began, epoch ms. */
  nowMs: number;
  /** Those it needs, no others. */
  facts: Pick<ProbeFacts, Needs>;
}

/** A check ready to probe. */
export interface Probe extends CheckTraits {
  readonly needs: readonly FactName[];
  /** Resolves within about `timeoutMs`, and never rejects because a VM is ill. */
  probe(input: ProbeInput<FactName>): Promise<ProbeResult>;
}

/** The traits of the types that have a probe here. */
export function traitsIn(probes: ReadonlyMap<string, CheckTraits>): TraitsOf {
  return (checkType) => probes.get(checkType) ?? TRAITS_OF_UNKNOWN_TYPE;
}

/** What the probes of all VMs share in a process. */
export interface ProbeDependencies {
  egress: Egress;
  fping?: FpingOptions;
  /** Whether results keep the beginning of a body, where an administrator set the check. Default: true. */
  keepBodies?: boolean;
  /** Certificates (PEM) of further authorities that https checks trust. */
  authorities?: readonly string[];
}

/** A check's settings as a user gives them. */
export interface CheckSettings {
  checkType: string;
  target: string | null;
  options: JsonObject;
}

/** What is wrong with a check's settings, a full sentence, and in which field. */
export interface CheckProblem {
  field: 'checkType' | 'target' | 'options';
  message: string;
}

/** The rules of checks as the API asks for them; `address` is the VM's. */
export interface CheckRules {
  /** Every problem with its settings; empty when fine. */
  problems(check: CheckSettings, address: string | null): CheckProblem[];
  /** Why it may not connect where it would (link-local, Defib's own ports, loopback, other hosts); null when it may. */
  refusal(check: CheckSettings, reach: Reach): string | null;
  /** What it is aimed at: checks/aim.ts. */
  aim(check: CheckSettings, address: string | null): string;
}

/** A strict object of optional fields. The message of a field ends the sentence that begins `The option "x"`. */
export type OptionsSchema = z.ZodObject<Record<string, z.ZodType>, z.core.$strict>;

/**
 * One kind of check, whole: what a user may set, where it connects, how it probes. All but `createProbe` is pure; the API
 * validates with it. `Target` is what a target says once it is read.
 */
export interface CheckDefinition<Target, Options extends OptionsSchema, Needs extends FactName> extends CheckTraits {
  /** Its name, as users write it: `tcp`. Results and settings are stored under it: never change one. */
  readonly type: string;
  /** What its target is, for the API's documents: `the port`; null when it takes none. */
  readonly targetIs: string | null;
  readonly options: Options;
  readonly needs: readonly Needs[];
  readTarget(target: string | null, address: string | null): Read<Target>;
  /** What else keeps it from probing a VM with this address, each a full sentence. */
  problems(address: string | null): string[];
  /** Where it connects first, so that a target can be refused before it is stored; null when it connects to nothing. */
  endpoint(target: Target, address: string | null): Endpoint | null;
  /** Called once per process: what all its probes share is made here. */
  createProbe(dependencies: ProbeDependencies): (input: ProbeInput<Needs, z.output<Options>>) => Promise<ProbeResult>;
}

/** A check as the registry holds it, without the types of its target and options. */
export interface Check extends Omit<CheckDefinition<unknown, OptionsSchema, FactName>, 'createProbe'> {
  createProbe(dependencies: ProbeDependencies): (input: ProbeInput<FactName>) => Promise<ProbeResult>;
}

/** Types a check by its own target, options and facts, and gives it to the registry, which knows none of them. */
export function defineCheck<Target, Options extends OptionsSchema, const Needs extends FactName>(
  check: CheckDefinition<Target, Options, Needs>,
): Check {
  // sound because options were validated when they were stored, targets come from readTarget, and `needs` names the facts
  return check as unknown as Check;
}
