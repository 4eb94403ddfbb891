import { checkFacts, notSentOf, resumesInVainOf } from '../../../activities/heal/gather-facts.ts';
import { failingIn, failuresOf } from '../../../domain/evidence.ts';
import type { Facts, ProviderFact } from '../../../domain/facts.ts';
import { applyFold, foldLook, type LookMode, msToNextLook, planLook } from '../../../domain/look.ts';
import { type OperationEvent, type OperationStatus, transition } from '../../../domain/operation.ts';
import { attemptsCountSince, mustFailForMs, type Policy, triggers } from '../../../domain/policy.ts';
import type { PowerAction, PowerReading, PowerState } from '../../../domain/power.ts';
import { readPower } from '../../../domain/power-reading.ts';
import type { CheckResult } from '../../../domain/probe-result.ts';
import { hasRecovered } from '../../../domain/recovery.ts';
import { type Decision, decideRemedy } from '../../../domain/remedy.ts';
import type { WatchedCheck, WatchedVm } from '../../../domain/watched.ts';
import { policy as policyExample, probeResult, watchedCheck, watchedVm } from '../../domain/examples.ts';
import type { Draw } from '../../support/draw.ts';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const PACE_MS = 5 * SECOND;
const MAX_HOLD_MS = 5 * MINUTE;
const ACTIONS = ['reset', 'shutdown', 'stop', 'start', 'resume'] as const satisfies readonly PowerAction[];

/** An operation as far as decisions know it. */
interface Operation extends OperationStatus {
  atMs: number;
  power: PowerAction;
  escalation: boolean;
  cause: string;
}

interface Heal {
  incident: number;
  reading: PowerReading | null;
  operations: Operation[];
  decideAtMs: number;
  verifying: { operation: Operation; untilMs: number } | null;
  /** The last decision, and since when it is the same. */
  decision: Decision | null;
}

/** What is so of the VM, whatever Defib knows. */
interface Truth {
  hung: boolean;
  power: PowerState;
  bootedAtMs: number;
  resetsHelp: boolean;
  canTell: boolean;
  providerAnswers: boolean;
  takesCommands: boolean;
}

/**
 * One VM's life without a server: folded looks, decisions and operations, as the workflows drive them, under faults drawn at random.
 * What must never be is thrown. One file, for all of it is one state machine over the same private state.
 */
export class Life {
  looks = 0;
  commands = 0;
  readonly guards = new Set<string>();
  readonly #draw: Draw;
  readonly #policy: Policy;
  #vm: WatchedVm;
  #truth: Truth = {
    hung: false,
    power: 'running',
    bootedAtMs: 0,
    resetsHelp: true,
    canTell: true,
    providerAnswers: true,
    takesCommands: true,
  };
  #heal: Heal | null = null;
  #incidents = 0;
  readonly #operations: Operation[] = [];
  #nowMs: number;
  #nextLookMs: number;
  #nextFaultMs: number;
  #lastLookMs: number | null = null;
  /** Of each check the first failed answer since its last healthy one, by what was answered. */
  readonly #failingSince = new Map<string, number>();
  #pausedUntilMs = 0;

  constructor(draw: Draw, startMs: number) {
    this.#draw = draw;
    this.#nowMs = this.#nextLookMs = startMs;
    // its checks have succeeded by then
    this.#nextFaultMs = startMs + 10 * MINUTE;
    const intervalMs = draw.among([30, 60, 60, 120, 300]) * SECOND;
    const timeoutMs = Math.min(intervalMs, draw.among([2, 10, 30]) * SECOND);
    const retryIntervalMs = draw.chance(0.4) ? intervalMs / draw.among([2, 6, 10]) : intervalMs;
    const check = (checkId: string, checkType: string) =>
      watchedCheck({
        checkId,
        checkType,
        intervalMs,
        retryIntervalMs,
        timeoutMs,
        thresholds: { failureThreshold: draw.upTo(3) + 1, successThreshold: draw.upTo(2) + 1 },
      });
    const checks = [check('http', 'http'), ...(draw.chance(0.4) ? [check('ping', 'ping')] : [])];
    this.#vm = watchedVm({ vmId: `vm-${draw.upTo(1e9)}`, checks, keepRunning: draw.chance(0.5) });
    this.#policy = policyExample({
      action: draw.among(['restart', 'restart', 'reset', 'start', 'notify_only'] as const),
      triggerAfterFailures: draw.upTo(4) + 1,
      cooldownMinutes: draw.upTo(10),
      maxAttempts: draw.upTo(4) + 1,
      attemptWindowHours: 1,
      verifySeconds: Math.ceil((intervalMs + timeoutMs) / SECOND) + draw.upTo(300),
      escalateAfterAttempts: draw.chance(0.3) ? draw.upTo(4) + 1 : null,
      escalationAction: 'notify_only',
      unhealthyForSeconds: draw.chance(0.3) ? draw.upTo(600) : null,
    });
  }

  /** Lives for so long; in the first half of it with faults. @throws what must never be */
  live(hours: number): void {
    const untilMs = this.#nowMs + hours * HOUR;
    const quietMs = this.#nowMs + (hours / 2) * HOUR;
    while (this.#nowMs < untilMs) {
      const healAtMs = this.#heal?.verifying?.untilMs ?? this.#heal?.decideAtMs ?? Number.POSITIVE_INFINITY;
      this.#nowMs = Math.min(this.#nextLookMs, this.#nextFaultMs, healAtMs);
      if (this.#nowMs === this.#nextFaultMs) this.#suffer(quietMs);
      else if (this.#nowMs === this.#nextLookMs) this.#look();
      else this.#care();
    }
    this.#mustHaveConverged();
  }

  #suffer(quietMs: number): void {
    const draw = this.#draw;
    const truth = this.#truth;
    if (this.#nowMs >= quietMs) {
      const isFrozen = truth.power !== 'running' && truth.power !== 'paused' && truth.power !== 'panicked';
      const power = isFrozen ? 'running' : truth.power;
      this.#truth = { ...truth, power, resetsHelp: true, canTell: true, providerAnswers: true, takesCommands: true };
      this.#vm = { ...this.#vm, paused: null };
      this.#nextFaultMs = Number.POSITIVE_INFINITY;
      return;
    }
    this.#nextFaultMs += Math.ceil(draw.exponential(20 * MINUTE)) + 1;
    if (this.#vm.paused !== null && this.#nowMs >= this.#pausedUntilMs) this.#vm = { ...this.#vm, paused: null };
    switch (draw.upTo(9)) {
      case 0:
      case 1:
        truth.hung = true;
        return;
      case 2:
        truth.hung = false;
        return;
      case 3:
        truth.power = draw.among(['running', 'paused', 'off', 'panicked', 'saving', 'migrating', 'storage-failed']);
        return;
      case 4:
        truth.resetsHelp = draw.chance(0.5);
        return;
      case 5:
        truth.canTell = draw.chance(0.5);
        return;
      case 6:
        truth.providerAnswers = draw.chance(0.5);
        return;
      case 7:
        truth.takesCommands = draw.chance(0.5);
        return;
      default:
        this.#vm = { ...this.#vm, paused: { reason: 'simulated', by: 'somebody' } };
        this.#pausedUntilMs = this.#nowMs + draw.exponential(10 * MINUTE);
    }
  }

  get #isUp(): boolean {
    return !this.#truth.hung && this.#truth.power === 'running' && this.#nowMs >= this.#truth.bootedAtMs;
  }

  #look(): void {
    const mode: LookMode = { paceMs: this.#heal?.verifying ? PACE_MS : null, now: false };
    const due = planLook(this.#vm, mode, this.#nowMs);
    const found = probeResult(!this.#truth.canTell ? 'unknown' : this.#isUp ? 'healthy' : 'unhealthy');
    const results = due.map(({ check, dueAtMs }): CheckResult => {
      return { ...found, checkId: check.checkId, dueAtMs, checkedAtMs: this.#nowMs };
    });
    this.#looks(results);
    this.#nextLookMs = this.#nowMs + Math.max(1, Math.round(msToNextLook(this.#vm, mode, this.#nowMs)));
  }

  #looks(results: readonly CheckResult[]): void {
    if (results.length === 0) return;
    this.looks++;
    for (const { checkId, status, dueAtMs } of results) {
      if (status === 'healthy') this.#failingSince.delete(checkId);
      else if (status === 'unhealthy' && !this.#failingSince.has(checkId)) this.#failingSince.set(checkId, dueAtMs);
    }
    const folded = foldLook(this.#vm, results, this.#nowMs);
    this.#vm = applyFold(this.#vm, folded);
    this.#lastLookMs = this.#nowMs;
    const failing = failingIn({ checks: this.#vm.checks.map(failuresOf) }, this.#policy);
    if (this.#heal === null && failing.length > 0) {
      this.#incidents++;
      const decideAtMs = this.#nowMs;
      this.#heal = {
        incident: this.#incidents,
        reading: null,
        operations: [],
        decideAtMs,
        verifying: null,
        decision: null,
      };
    } else if (this.#heal !== null && folded.transition !== null && !this.#heal.verifying) {
      this.#heal.decideAtMs = this.#nowMs;
    }
    if (this.#heal?.verifying && this.#hasHelped(this.#heal.verifying.operation)) this.#judge('success');
  }

  #hasHelped({ endedAtMs }: Operation): boolean {
    return hasRecovered({ checks: checkFacts(this.#vm), lastRemedyDoneAtMs: endedAtMs });
  }

  #judge(result: 'success' | 'failed'): void {
    const heal = this.#heal;
    if (!heal?.verifying) return;
    this.#apply(heal.verifying.operation, { kind: 'judged', result, errorMessage: null });
    heal.verifying = null;
    heal.decideAtMs = this.#nowMs;
  }

  #care(): void {
    const heal = this.#heal;
    if (heal === null) return;
    if (heal.verifying) {
      if (this.#vm.paused === null) this.#judge('failed');
      else heal.verifying.untilMs = this.#nowMs + MAX_HOLD_MS;
      return;
    }
    const facts = this.#facts(heal);
    heal.reading = facts.powerReading;
    const { decision } = decideRemedy(facts, this.#policy, this.#nowMs);
    heal.decision = decision;
    switch (decision.kind) {
      case 'close':
        if (decision.reason === 'recovered' && !this.#seemsWell())
          throw new Error('closed as recovered, and is not well');
        this.#heal = null;
        return;
      case 'hold':
        this.guards.add(decision.reason);
        heal.decideAtMs = this.#nowMs + Math.max(1, Math.min(decision.lookAgainInMs, MAX_HOLD_MS));
        return;
      case 'act':
        this.#act(heal, decision, facts);
    }
  }

  #seemsWell(): boolean {
    return this.#vm.checks.every(({ state }) => state.status === 'healthy' || state.status === 'unknown');
  }

  #act(heal: Heal, { remedy, verifyMs }: Decision & { kind: 'act' }, facts: Facts): void {
    this.#mustBeAllowed(remedy.kind === 'power' ? remedy.cause : 'unresponsive', remedy, facts);
    const operation: Operation = {
      atMs: this.#nowMs,
      power: remedy.kind === 'power' ? remedy.power : 'stop',
      escalation: remedy.escalation,
      cause: remedy.cause,
      state: 'intended',
      presumed: false,
      detail: null,
      sentAtMs: null,
      endedAtMs: null,
      result: 'pending',
      errorMessage: null,
      judgedAtMs: null,
    };
    heal.operations.push(operation);
    this.#operations.push(operation);
    if (remedy.kind === 'power' && (!this.#truth.providerAnswers || !this.#truth.takesCommands)) {
      this.#apply(operation, { kind: 'not-sent', detail: 'refused' });
      heal.decideAtMs = this.#nowMs + 1;
      return;
    }
    if (remedy.kind === 'power') {
      this.#apply(operation, { kind: 'sent' });
      this.#command(remedy.power);
      const presumed = this.#draw.chance(0.1);
      this.#apply(operation, { kind: 'done', detail: 'done', conclusive: false, presumed });
      heal.verifying = { operation, untilMs: this.#nowMs + Math.max(1, verifyMs) };
      this.#nextLookMs = this.#nowMs + 1;
    } else {
      this.#apply(operation, { kind: 'done', detail: 'recorded', conclusive: true, presumed: false });
      heal.decideAtMs = this.#nowMs + 1;
    }
  }

  #apply(operation: Operation, event: OperationEvent): void {
    const after = transition(operation, event, this.#nowMs);
    if (after === null) throw new Error(`an operation that is ${operation.state} refuses "${event.kind}"`);
    Object.assign(operation, after);
  }

  #command(power: PowerAction): void {
    this.commands++;
    const truth = this.#truth;
    if (truth.power === 'saving' || truth.power === 'migrating') throw new Error(`${power} while it is ${truth.power}`);
    if (power === 'reset') {
      truth.power = 'running';
      truth.bootedAtMs = this.#nowMs + this.#draw.among([5, 20, 60]) * SECOND;
      if (truth.resetsHelp) truth.hung = false;
    }
    if (power === 'resume' || power === 'start') {
      if (truth.power !== 'storage-failed' || this.#nextFaultMs === Number.POSITIVE_INFINITY) truth.power = 'running';
    }
    if (power === 'start') truth.bootedAtMs = this.#nowMs + 20 * SECOND;
  }

  /** For as long as the policy asks for; the first failure counts from the tick before it. */
  #hasFailedFor({ checkId, intervalMs, retryIntervalMs }: WatchedCheck): boolean {
    const failedForMs = this.#nowMs - (this.#failingSince.get(checkId) ?? this.#nowMs);
    return failedForMs > mustFailForMs(this.#policy, intervalMs) - retryIntervalMs;
  }

  /** What no decision to act may come from. */
  #mustBeAllowed(cause: string, remedy: (Decision & { kind: 'act' })['remedy'], facts: Facts): void {
    if (remedy.kind !== 'power') return;
    const wrong = (what: string) => new Error(`${remedy.power} (${cause}) of a VM ${what}: ${JSON.stringify(facts)}`);
    if (this.#vm.paused !== null) throw wrong('that is paused');
    if (!facts.provider.answered) throw wrong('whose hypervisor does not answer');
    const since = facts.lastRemedyDoneAtMs ?? Number.NEGATIVE_INFINITY;
    if (cause === 'unresponsive') {
      const counted = this.#vm.checks.filter((check) => triggers(this.#policy, failuresOf(check)));
      if (!counted.some(({ state }) => (state.lastCheckAtMs ?? 0) > since))
        throw wrong('without evidence since the last remedy');
      if (!counted.some((check) => this.#hasFailedFor(check))) throw wrong('that has not failed for long enough');
      if (this.#truth.power !== 'running') throw wrong(`that is ${this.#truth.power}`);
    } else if (remedy.power === 'reset' && this.#truth.power === 'paused')
      throw wrong('that is paused at its hypervisor');
    if (cause === 'storage-failed') return;
    const attempts = this.#attemptsSince(this.#nowMs - HOUR);
    if (!remedy.escalation && attempts.length >= this.#policy.maxAttempts)
      throw wrong(`after ${attempts.length} attempts`);
    const last = attempts.at(-1);
    if (last && this.#nowMs - last.atMs < this.#policy.cooldownMinutes * MINUTE)
      throw wrong('before its cooldown is over');
  }

  #attemptsSince(sinceMs: number): Operation[] {
    return this.#operations.filter(
      ({ atMs, state, cause, escalation }) =>
        atMs > sinceMs && state !== 'abandoned' && cause !== 'storage-failed' && !escalation,
    );
  }

  #facts(heal: Heal): Facts {
    const vm = this.#vm;
    const sinceMs = attemptsCountSince(this.#policy, null, this.#nowMs);
    const power = this.#truth.power;
    const provider: ProviderFact = this.#truth.providerAnswers
      ? { answered: true, power, detail: power }
      : { answered: false, reason: 'unreachable', message: 'simulated' };
    const done = this.#operations.findLast(({ state, power }) => state === 'done' && power !== 'stop');
    const lastRemedyDoneAtMs = done?.endedAtMs ?? null;
    const rows = heal.operations.map(({ state, result, detail, cause, atMs, endedAtMs }) => {
      return {
        state,
        result,
        detail,
        cause,
        intendedAt: new Date(atMs),
        endedAt: endedAtMs === null ? null : new Date(endedAtMs),
      };
    });
    return {
      vmId: vm.vmId,
      incident: heal.incident,
      deleted: false,
      stoppedOnPurpose: false,
      paused: vm.paused,
      keepRunning: vm.keepRunning,
      startedAtMs: null,
      bootGraceMs: 180 * SECOND,
      status: vm.health.status,
      consecutiveFailures: Math.max(0, ...vm.checks.map(({ state }) => state.consecutiveFailures)),
      checks: checkFacts(vm),
      lastLookAtMs: this.#lastLookMs,
      attempts: this.#operations
        .filter(({ atMs, state, cause }) => atMs > sinceMs && state !== 'abandoned' && cause !== 'storage-failed')
        .map(({ atMs, escalation }) => ({ atMs, escalation })),
      lastRemedyDoneAtMs,
      notSent: notSentOf(rows, sinceMs),
      resumesInVain: resumesInVainOf(rows),
      provider,
      powerReading: readPower(heal.reading, { fact: provider, atMs: this.#nowMs, lastRemedyDoneAtMs }),
      pausedGraceMs: 2 * MINUTE,
      providerSupports: [...ACTIONS],
      settingsVersion: 1,
      policyRevision: 0,
      gatheredAtMs: this.#nowMs,
    };
  }

  /** Hours after the last fault the VM is well, or has said why not. */
  #mustHaveConverged(): void {
    const { action } = this.#policy;
    const told = this.#heal?.decision;
    const why = told?.kind === 'hold' ? told.reason : (told?.kind ?? 'nobody heals it');
    if (this.#isUp && this.#heal === null && this.#vm.health.status === 'healthy') return;
    const mayStayIll = action === 'notify_only' || action === 'start' || this.#truth.power === 'off';
    if (!this.#isUp && mayStayIll && this.#heal !== null) return;
    throw new Error(
      `hours after the last fault it is ${this.#isUp ? 'up' : 'down'}, reads ${this.#vm.health.status}, and: ${why} (${JSON.stringify(this.#truth)})`,
    );
  }
}
