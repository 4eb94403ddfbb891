/** A probe's time is up. */
export class DeadlinePassed extends Error {
  override name = 'DeadlinePassed';
}

/** One probe's time, from name resolution to the last byte: a single timer that everything open listens to. */
export interface Deadline {
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  elapsedMs(): number;
  /** Rejects with DeadlinePassed when `work` is not done in time; `work` itself is not stopped. */
  within<T>(work: Promise<T>): Promise<T>;
  /** Stops the timer; call it whatever happened. */
  end(): void;
}

/** Starts a probe's time, in ms. The clock is monotonic: a changed system time does not matter. */
export function startDeadline(timeoutMs: number): Deadline {
  const startedAt = performance.now();
  const controller = new AbortController();
  const timer = setTimeout(() => controller.abort(new DeadlinePassed(`took longer than ${timeoutMs} ms`)), timeoutMs);
  return {
    timeoutMs,
    signal: controller.signal,
    elapsedMs: () => performance.now() - startedAt,
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
