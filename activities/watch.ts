import { Context } from '@temporalio/activity';
import { wordsOf } from '../db/database-trouble.ts';
import { WATCH_CLOSELY_MS } from '../domain/grid.ts';
import { type LookMode, lookLine, msToNextLook } from '../domain/look.ts';
import { type CheckResult, isCheckResult } from '../domain/probe-result.ts';
import type { LookInput, WatchActivities } from './contract.ts';
import type { Dependencies } from './dependencies.ts';
import { createLook } from './look/look.ts';
import { createNews } from './news.ts';
import { steady } from './steady.ts';

const RETRY_SOON_MS = 1_000;
/** Announced settings are in the database within a moment, unless it was restored to a time before them. */
const SETTINGS_LOST_MS = 120_000;

/** A look in care: an attempt of one Temporal activity, whose retries are the poll. */
export function createWatchActivities(deps: Dependencies): WatchActivities {
  const look = createLook(deps);
  const newsOf = createNews(deps.database.pool);
  return {
    async watch(given) {
      const input = inputOf(given);
      const context = Context.current();
      const mode = (nowMs: number): LookMode => modeOf(input, nowMs);
      const unstored = unstoredIn(context.info.heartbeatDetails);
      const outcome = await look({
        vmId: input.vmId,
        mode,
        settingsVersion: input.settingsVersion,
        limitMs: context.info.startToCloseTimeoutMs,
        unstored,
      });
      switch (outcome.kind) {
        case 'gone':
        case 'needs-time':
          return outcome;
        case 'settings-behind':
          if (input.paused !== undefined && deps.now() - context.info.scheduledTimestampMs > SETTINGS_LOST_MS) {
            return { kind: 'settings-lost', version: outcome.version };
          }
          throw steady('waiting for newer settings', RETRY_SOON_MS);
        case 'not-stored': {
          const nowMs = deps.now();
          context.heartbeat(outcome.unstored);
          const line = outcome.vm ? lookLine(outcome.vm, outcome.results) : 'could not look';
          const delayMs = outcome.vm ? msToNextLook(outcome.vm, mode(nowMs), nowMs) : WATCH_CLOSELY_MS;
          throw steady(`${line} · not stored: the database is away (${wordsOf(outcome.away)})`, delayMs);
        }
        case 'looked': {
          // otherwise every later attempt would store them again
          if (unstored.length > 0) context.heartbeat([]);
          const news = await newsOf(outcome, input);
          if (news) return news;
          const nowMs = deps.now();
          throw steady(lookLine(outcome.vm, outcome.results), msToNextLook(outcome.vm, mode(nowMs), nowMs));
        }
      }
    },
  };
}

/** Workflows of 0.1 named three fields differently; a look that they asked for may still be retried. */
function inputOf(
  given: LookInput & { toldSeq?: number; healTold?: boolean; closeUpUntilMs?: number | null },
): LookInput {
  const { toldSeq, healTold, closeUpUntilMs, ...input } = given;
  if (toldSeq === undefined) return input;
  const watchCloselyUntilMs = closeUpUntilMs ?? null;
  return { ...input, deliveredSeq: toldSeq, healOpen: healTold ?? false, watchCloselyUntilMs };
}

function modeOf(input: LookInput, nowMs: number): LookMode {
  const watchClosely = input.watchCloselyUntilMs !== null && nowMs < input.watchCloselyUntilMs;
  return { paceMs: watchClosely ? WATCH_CLOSELY_MS : null, now: input.now };
}

/** What earlier attempts could not store. Details of another version's shape are dropped. */
function unstoredIn(details: unknown): CheckResult[] {
  return Array.isArray(details) ? details.filter(isCheckResult) : [];
}
