import { asyncLocalStorage, type Context } from '@temporalio/activity';
import {
  ActivityFailure,
  type ActivityOptions,
  ApplicationFailure,
  CancelledFailure,
  ensureApplicationFailure,
  RetryState,
  TimeoutFailure,
  TimeoutType,
} from '@temporalio/common';
import { converted } from './converted.ts';
import { inMs } from './duration.ts';
import type { Gate } from './gate.ts';
import type { VirtualClock } from './virtual-clock.ts';

/** Thrown by an activity whose worker is gone: no answer ever arrives, and only timeouts end the attempt. */
export class NoAnswer extends Error {}

/** What runs an activity, by name. */
export type Act = (input: unknown) => Promise<unknown>;

/** Where an activity waits for a worker, and the worker's way to the server. */
export interface Queue {
  /** Open while somebody takes what waits. */
  manned: Gate;
  /** Open while workers reach the server. */
  reached: Gate;
}

interface Settled {
  resolve(value: unknown): void;
  reject(error: unknown): void;
}

const RETRY_INITIAL_MS = 1_000;
const RETRY_COEFFICIENT = 2;
const RETRY_MAX_INITIALS = 100;

/** One activity as a server keeps it: attempts, timeouts, backoff and cancellation, in virtual time. */
export class ActivityRun {
  readonly #clock: VirtualClock;
  readonly #name: string;
  readonly #act: Act;
  readonly #input: unknown;
  readonly #options: ActivityOptions;
  readonly #queue: Queue;
  readonly #settled: Settled;
  readonly #scheduledAtMs: number;
  #attempt = 0;
  #phase: 'waiting' | 'running' | 'backoff' | 'over' = 'waiting';
  #cancelRequested = false;
  #heartbeatDetails: unknown;
  /** What ends the present phase, and the whole. */
  #phaseEnds: (() => void)[] = [];
  #ends: (() => void)[] = [];

  constructor(
    clock: VirtualClock,
    queue: Queue,
    activity: { name: string; act: Act; input: unknown; options: ActivityOptions },
    settled: Settled,
  ) {
    this.#clock = clock;
    this.#queue = queue;
    this.#name = activity.name;
    this.#act = activity.act;
    this.#input = activity.input;
    this.#options = activity.options;
    this.#settled = settled;
    this.#scheduledAtMs = clock.nowMs;
    const { scheduleToStartTimeout, scheduleToCloseTimeout } = this.#options;
    const toStartMs = inMs(scheduleToStartTimeout);
    const toCloseMs = inMs(scheduleToCloseTimeout);
    if (toCloseMs !== undefined) {
      this.#ends.push(clock.after(toCloseMs, () => this.#fail(timedOut(TimeoutType.SCHEDULE_TO_CLOSE))));
    }
    if (toStartMs !== undefined) {
      this.#phaseEnds.push(clock.after(toStartMs, () => this.#fail(timedOut(TimeoutType.SCHEDULE_TO_START))));
    }
    this.#await();
  }

  /** A running attempt is waited for; it is never told, because it sends no heartbeats while it runs. */
  cancel(): void {
    this.#cancelRequested = true;
    if (this.#phase === 'waiting' || this.#phase === 'backoff') this.#fail(new CancelledFailure('cancelled'));
  }

  /** From now on whatever becomes of it concerns nobody. */
  abandon(): void {
    this.#leavePhase('over');
    for (const end of this.#ends) end();
  }

  #await(): void {
    const { manned, reached } = this.#queue;
    const whenManned = manned.whenOpen(() => this.#phaseEnds.push(reached.whenOpen(() => this.#begin())));
    this.#phaseEnds.push(whenManned);
  }

  #begin(): void {
    this.#leavePhase('running');
    const attempt = ++this.#attempt;
    const limitMs = inMs(this.#options.startToCloseTimeout);
    if (limitMs !== undefined) {
      const end = () => this.#attemptFailed(attempt, timedOut(TimeoutType.START_TO_CLOSE));
      this.#phaseEnds.push(this.#clock.after(limitMs, end));
    }
    void this.#clock.during(async () => {
      const answer = await this.#attemptOnce(attempt, limitMs);
      this.#queue.reached.whenOpen(answer);
    });
  }

  /** What the answer of an attempt does when it arrives. */
  async #attemptOnce(attempt: number, limitMs: number | undefined): Promise<() => void> {
    try {
      const value = await asyncLocalStorage.run(this.#context(limitMs), () => this.#act(this.#input));
      return () => {
        if (!this.#isCurrent(attempt)) return;
        this.abandon();
        this.#settled.resolve(value);
      };
    } catch (error) {
      if (error instanceof NoAnswer) return () => undefined;
      return () => this.#attemptFailed(attempt, ensureApplicationFailure(error));
    }
  }

  #context(startToCloseTimeoutMs: number | undefined): Context {
    const attempt = this.#attempt;
    const context = {
      info: {
        activityType: this.#name,
        attempt,
        heartbeatDetails: this.#heartbeatDetails,
        scheduledTimestampMs: this.#scheduledAtMs,
        startToCloseTimeoutMs,
      },
      heartbeat: (details: unknown) => {
        // nobody waits for it any more
        if (!this.#isCurrent(attempt)) return;
        this.#queue.reached.whenOpen(() => {
          if (this.#isCurrent(attempt)) this.#heartbeatDetails = converted(details);
        });
      },
    };
    return context as unknown as Context;
  }

  #attemptFailed(attempt: number, failure: ApplicationFailure | TimeoutFailure): void {
    if (!this.#isCurrent(attempt)) return;
    const { retry = {}, scheduleToCloseTimeout } = this.#options;
    const named = failure instanceof ApplicationFailure ? failure : null;
    if (this.#cancelRequested) return this.#fail(failure, RetryState.CANCEL_REQUESTED);
    if (named?.nonRetryable) return this.#fail(failure, RetryState.NON_RETRYABLE_FAILURE);
    if (attempt >= (retry.maximumAttempts ?? Number.POSITIVE_INFINITY)) {
      return this.#fail(failure, RetryState.MAXIMUM_ATTEMPTS_REACHED);
    }
    const initialMs = inMs(retry.initialInterval) ?? RETRY_INITIAL_MS;
    const maxMs = inMs(retry.maximumInterval) ?? RETRY_MAX_INITIALS * initialMs;
    const backoffMs = Math.min(maxMs, initialMs * (retry.backoffCoefficient ?? RETRY_COEFFICIENT) ** (attempt - 1));
    const delayMs = inMs(named?.nextRetryDelay ?? undefined) ?? backoffMs;
    const toCloseMs = inMs(scheduleToCloseTimeout) ?? Number.POSITIVE_INFINITY;
    if (this.#clock.nowMs + delayMs >= this.#scheduledAtMs + toCloseMs) return this.#fail(failure, RetryState.TIMEOUT);
    this.#leavePhase('backoff');
    const again = () => {
      this.#leavePhase('waiting');
      this.#await();
    };
    this.#phaseEnds.push(this.#clock.after(delayMs, again));
  }

  #isCurrent(attempt: number): boolean {
    return this.#phase === 'running' && attempt === this.#attempt;
  }

  #fail(cause: Error, retryState: RetryState = RetryState.NON_RETRYABLE_FAILURE): void {
    if (this.#phase === 'over') return;
    this.abandon();
    this.#settled.reject(
      new ActivityFailure('Activity task failed', this.#name, undefined, retryState, undefined, cause),
    );
  }

  #leavePhase(next: 'waiting' | 'running' | 'backoff' | 'over'): void {
    for (const end of this.#phaseEnds) end();
    this.#phaseEnds = [];
    this.#phase = next;
  }
}

/** In the server's words. */
function timedOut(type: NonNullable<TimeoutType>): TimeoutFailure {
  const limit = type.toLowerCase().replace(/(?:^|_)(.)/g, (_, letter: string) => letter.toUpperCase());
  return new TimeoutFailure(`activity ${limit} timeout`, undefined, type);
}
