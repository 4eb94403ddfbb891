/** A probe's time is up. */
export class DeadlinePassed extends Error {
  override name = 'DeadlinePassed';
}

/** One probe's time, from name resolution to the last byte: a single timer that everything open listens to. */
export interface Deadline {
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  elapsedMs(): number;
  /** Whether this process did not run when the time was up: then a failure says nothing about the target. */
  stoodStill(): boolean;
  /** Rejects with DeadlinePassed when `work` is not done in time; `work` itself is not stopped. */
  within<T>(work: Promise<T>): Promise<T>;
  /** Stops the timer; call it whatever happened. */
  end(): void;
}

/** Why a look says nothing when `stoodStill`. */
export const STOOD_STILL = 'this worker stood still for a while';

/** What ends later than this after its time was kept from ending: this process was stopped, or had no CPU. */
export const STOOD_STILL_MS = 1_000;

/** Starts a probe's time, in ms. The clock is monotonic: a changed system time does not matter. */
export function startDeadline(timeoutMs: number): Deadline {
  const startedAt = performance.now();
  const elapsedMs = () => performance.now() - startedAt;
  const controller = new AbortController();
  const stop = () => controller.abort(new DeadlinePassed(`took longer than ${timeoutMs} ms`));
  // if this process was suspended, the answer may have arrived; it is read before this runs
  const timer = setTimeout(() => setImmediate(stop), timeoutMs);
  return {
    timeoutMs,
    signal: controller.signal,
    elapsedMs,
    stoodStill: () => elapsedMs() > timeoutMs + STOOD_STILL_MS,
    end: () => clearTimeout(timer),
    within: (work) =>
      new Promise((resolve, reject) => {
        const stop = () => reject(controller.signal.reason);
        if (controller.signal.aborted) return stop();
        controller.signal.addEventListener('abort', stop, { once: true });
        work.then(resolve, reject).finally(() => controller.signal.removeEventListener('abort', stop));
      }),
  };
}

/** A time limit as messages write it: `10s`, `2.5s`. */
export function inSeconds(timeoutMs: number): string {
  return `${timeoutMs / 1000}s`;
}
