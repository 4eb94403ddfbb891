import fc from 'fast-check';
import { unseenCheck } from '../../domain/check-state.ts';
import type { CheckTraits } from '../../domain/check-traits.ts';
import type { CheckFact, Facts } from '../../domain/facts.ts';
import type { Policy } from '../../domain/policy.ts';
import type { PowerState } from '../../domain/power.ts';
import type { ProbeResult } from '../../domain/probe-result.ts';
import { UNSEEN } from '../../domain/vm-health.ts';
import type { WatchedCheck, WatchedVm } from '../../domain/watched.ts';

export const SECOND = 1_000;
export const MINUTE = 60_000;
export const HOUR = 3_600_000;
export const NOW = Date.parse('2026-11-22T08:00:00Z');

/** With the defaults, written out: a test notices when one of them changes. */
export function policy(given: Partial<Policy> = {}): Policy {
  return {
    id: 'policy-1',
    name: 'restart the ill',
    enabled: true,
    triggerAfterFailures: 3,
    action: 'restart',
    cooldownMinutes: 10,
    maxAttempts: 3,
    attemptWindowHours: 24,
    notifyOnTrigger: true,
    escalateAfterAttempts: null,
    escalationAction: 'notify_only',
    verifySeconds: 120,
    unhealthyForSeconds: null,
    vmId: null,
    tag: null,
    createdAtMs: 0,
    ...given,
  };
}

export const ALIVE: CheckTraits = { about: 'alive', needsCorroboration: false };
export const LOAD: CheckTraits = { about: 'load', needsCorroboration: false };

/** The traits of the types that tests use: the real ones, and `certificate`, which is about load. */
export function traitsOf(checkType: string): CheckTraits {
  if (checkType === 'certificate') return LOAD;
  return { about: 'alive', needsCorroboration: checkType === 'agent' };
}

/** An http check that failed three times, just now. */
export function failing(given: Partial<CheckFact> = {}): CheckFact {
  return {
    checkId: 'http-1',
    checkType: 'http',
    name: '',
    ...traitsOf(given.checkType ?? 'http'),
    status: 'unhealthy',
    consecutiveFailures: 3,
    failingForMs: ((given.consecutiveFailures ?? 3) - 1) * (given.intervalMs ?? 60 * SECOND),
    reason: 'http-status',
    message: 'HTTP 503',
    lastDueAtMs: given.lastCheckAtMs === undefined ? NOW - SECOND : given.lastCheckAtMs,
    lastCheckAtMs: NOW - SECOND,
    lastHealthyAtMs: NOW - HOUR,
    provenAtMs: NOW - 24 * HOUR,
    trusted: false,
    intervalMs: 60 * SECOND,
    timeoutMs: 10 * SECOND,
    ...given,
  };
}

/** The check of its agent, which is silent. */
export function silent(given: Partial<CheckFact> = {}): CheckFact {
  return failing({ checkId: 'agent-1', checkType: 'agent', reason: 'heartbeat-stale', ...given });
}

/** A check of an expired certificate, which is about load, however long it has failed. */
export function expired(given: Partial<CheckFact> = {}): CheckFact {
  const failures = { consecutiveFailures: 50, reason: 'certificate-expired', message: 'The certificate has run out.' };
  return failing({ checkId: 'certificate-1', checkType: 'certificate', ...failures, ...given });
}

/** The same check, healthy. */
export function passing(given: Partial<CheckFact> = {}): CheckFact {
  return failing({ status: 'healthy', consecutiveFailures: 0, reason: 'ok', message: null, ...given });
}

/** A VM that is to be healed: three failures in a row, its hypervisor answers, nothing was tried yet. */
export function ill(given: Partial<Facts> = {}): Facts {
  return {
    vmId: 'vm-1',
    incident: 1,
    deleted: false,
    stoppedOnPurpose: false,
    paused: null,
    keepRunning: false,
    startedAtMs: null,
    bootGraceMs: 180 * SECOND,
    status: 'unhealthy',
    consecutiveFailures: 3,
    checks: [failing({ consecutiveFailures: given.consecutiveFailures ?? 3 })],
    lastLookAtMs: NOW - SECOND,
    attempts: [],
    lastRemedyDoneAtMs: null,
    notSent: null,
    resumesInVain: null,
    provider: { answered: true, power: 'running', detail: '' },
    powerReading: { state: 'running', sinceMs: NOW - MINUTE, before: null },
    pausedGraceMs: 2 * MINUTE,
    providerSupports: ['reset', 'shutdown', 'stop', 'start', 'resume'],
    settingsVersion: 1,
    policyRevision: 0,
    gatheredAtMs: NOW,
    ...given,
  };
}

/** An ill VM whose hypervisor has named this state for `forMs`. */
export function illAt(power: PowerState, forMs: number, given: Partial<Facts> = {}): Facts {
  return ill({
    provider: { answered: true, power, detail: power },
    powerReading: { state: power, sinceMs: NOW - forMs, before: 'running' },
    ...given,
  });
}

/** What a probe of this status typically finds. */
export function probeResult(status: ProbeResult['status'], given: Partial<ProbeResult> = {}): ProbeResult {
  const usual = {
    healthy: { reason: 'ok', message: null, latencyMs: 12 },
    unhealthy: { reason: 'timeout', message: 'HTTP timeout (10s)', latencyMs: null },
    unknown: { reason: 'look-failed', message: 'look failed', latencyMs: null },
  };
  return { status, ...usual[status], rawResponse: {}, summary: status, ...given };
}

/** An http check each minute that has no results yet. */
export function watchedCheck(given: Partial<WatchedCheck> = {}): WatchedCheck {
  const checkId = given.checkId ?? 'http-1';
  const checkType = given.checkType ?? 'http';
  return {
    checkId,
    checkType,
    ...traitsOf(checkType),
    name: '',
    target: null,
    intervalMs: 60 * SECOND,
    retryIntervalMs: given.intervalMs ?? 60 * SECOND,
    timeoutMs: 10 * SECOND,
    thresholds: { failureThreshold: 3, successThreshold: 1 },
    staleAfterSeconds: null,
    options: {},
    createdAtMs: 0,
    series: 0,
    trusted: false,
    aimedBy: 'ADMIN',
    state: unseenCheck(checkId, checkType),
    ...given,
  };
}

/** A VM with one such check, never looked at. */
export function watchedVm(given: Partial<WatchedVm> = {}): WatchedVm {
  return {
    vmId: 'vm-1',
    tenantId: 'default',
    tenantTargets: [],
    name: 'one',
    address: '127.0.0.1',
    site: 'main',
    host: null,
    providerKind: 'none',
    tags: [],
    settingsVersion: 1,
    watchEpoch: 1,
    deleted: false,
    stoppedOnPurpose: false,
    paused: null,
    keepRunning: false,
    startedAtMs: null,
    reportIntervalMs: 60 * SECOND,
    lastHeartbeatAtMs: null,
    checks: [watchedCheck()],
    health: UNSEEN,
    lookSeq: 0,
    ...given,
  };
}

export const anyResultStatus = fc.constantFrom<ProbeResult['status']>('healthy', 'unhealthy', 'unknown');
export const anyCheckType = fc.constantFrom<string>('ping', 'tcp', 'http', 'agent', 'certificate');
export const anyThresholds = fc.record({
  failureThreshold: fc.integer({ min: 1, max: 6 }),
  successThreshold: fc.integer({ min: 1, max: 6 }),
});
/** Intervals as people set them, and odd ones. */
export const anyIntervalMs = fc
  .oneof(fc.constantFrom(1, 5, 7, 15, 30, 60, 300, 3_600), fc.integer({ min: 1, max: 90_000 }))
  .map((seconds) => seconds * SECOND);
export const anyInstant = fc.integer({ min: Date.parse('2020-01-01'), max: Date.parse('2100-01-01') });

/** Ids of the checks of `anyWatchedVm`. */
export const CHECK_IDS = ['http-1', 'tcp-1', 'ping-1'];

/** A VM with one to three checks. */
export const anyWatchedVm = fc
  .array(fc.record({ intervalMs: anyIntervalMs, thresholds: anyThresholds }), { minLength: 1, maxLength: 3 })
  .map((settings) =>
    watchedVm({ checks: settings.map((given, i) => watchedCheck({ checkId: CHECK_IDS[i] ?? 'more', ...given })) }),
  );
