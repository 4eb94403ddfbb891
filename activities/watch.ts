import { Context } from '@temporalio/activity';
import { ApplicationFailure, ApplicationFailureCategory } from '@temporalio/common';
import { type LookMode, lookLine, msToNextLook } from '../domain/look.ts';
import { effectivePolicy, triggers } from '../domain/policy.ts';
import { type CheckResult, isCheckResult } from '../domain/probe-result.ts';
import { type LookInput, type LookNews, STEADY, type WatchActivities } from './contract.ts';
import type { Dependencies } from './dependencies.ts';
import type { Look, LookOutcome } from './look.ts';
import type { VmReader } from './vm-reader.ts';

/** During a verify window looks come at least this often. */
const CLOSE_UP_MS = 5_000;
const RETRY_SOON_MS = 1_000;

type Looked = LookOutcome & { kind: 'looked' };

/** A look in care: an attempt of one Temporal activity, whose retries are the poll. */
export function createWatchActivities(deps: Dependencies, look: Look, reader: VmReader): WatchActivities {
  return {
    async watch(input) {
      const context = Context.current();
      const mode = (nowMs: number): LookMode => modeOf(input, nowMs);
      const outcome = await look({
        vmId: input.vmId,
        mode,
        settingsVersion: input.settingsVersion,
        limitMs: context.info.startToCloseTimeoutMs,
        unstored: ridingAlong(context.info.heartbeatDetails),
      });
      switch (outcome.kind) {
        case 'gone':
        case 'needs-time':
          return outcome;
        case 'settings-behind':
          throw steady('waiting for the settings it was told of', RETRY_SOON_MS);
        case 'not-stored': {
          const nowMs = deps.now();
          context.heartbeat(outcome.unstored.map(withoutBody));
          const line = outcome.vm ? lookLine(outcome.vm, outcome.vm.health, outcome.results) : 'could not look';
          const delayMs = outcome.vm ? msToNextLook(outcome.vm, mode(nowMs), nowMs) : CLOSE_UP_MS;
          throw steady(`${line} · not stored: the database is away`, delayMs);
        }
        case 'looked': {
          const news = await newsOf(outcome, input);
          if (news) return news;
          const nowMs = deps.now();
          const line = lookLine(outcome.vm, outcome.folded.health, outcome.results);
          throw steady(line, msToNextLook(outcome.vm, mode(nowMs), nowMs));
        }
      }
    },
  };

  /** Level-triggered: whatever the workflow has not been told is news, whoever brought it about. */
  async function newsOf({ vm, folded, results }: Looked, input: LookInput): Promise<LookNews | null> {
    const { health } = folded;
    const policy =
      effectivePolicy({ vmId: vm.vmId, tags: vm.tags }, await reader.policies(vm.tenantId))?.policy ?? null;
    const wanted = policy !== null && !vm.stoppedOnPurpose && triggers(policy, health.consecutiveFailures);
    const healWanted = wanted && !input.healOpen;
    if (health.transitionSeq <= input.deliveredSeq && !healWanted && !input.now) return null;
    return {
      kind: 'health',
      seq: health.transitionSeq,
      status: health.status,
      line: lookLine(vm, health, results),
      healWanted,
      vm: { name: vm.name, tenantId: vm.tenantId, provider: vm.providerKind, host: vm.host },
    };
  }
}

function modeOf(input: LookInput, nowMs: number): LookMode {
  const watchClosely = input.watchCloselyUntilMs !== null && nowMs < input.watchCloselyUntilMs;
  return { paceMs: watchClosely ? CLOSE_UP_MS : null, now: input.now };
}

/** No news: the next retry is the next look, and this message is what an operator reads in the Web UI. */
function steady(line: string, nextLookInMs: number): ApplicationFailure {
  const failure = ApplicationFailure.create({
    type: STEADY,
    message: line,
    category: ApplicationFailureCategory.BENIGN,
    nextRetryDelay: Math.max(1, Math.round(nextLookInMs)),
  });
  failure.stack = '';
  return failure;
}

/** What an earlier attempt could not store. Details that a version of another shape left are let go. */
function ridingAlong(details: unknown): CheckResult[] {
  return Array.isArray(details) ? details.filter(isCheckResult) : [];
}

/** Heartbeats pass through Temporal: verdicts only, never what a server answered. */
function withoutBody(result: CheckResult): CheckResult {
  return { ...result, rawResponse: {} };
}
