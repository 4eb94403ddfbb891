export interface StoppableClock {
  /** No time passes for this process while this is done, however long it takes. */
  stopWhile(work: () => void): void;
}

/**
 * Puts a clock that can be stopped behind `performance.now` and `setTimeout`, as a machine has one that is paused or migrated.
 * The kernel's own goes on for a process that is stopped by a signal.
 */
export function createStoppableClock(): StoppableClock {
  const now = performance.now.bind(performance);
  const startTimer = globalThis.setTimeout;
  let stoodMs = 0;

  performance.now = () => now() - stoodMs;
  globalThis.setTimeout = ((callback: (...args: unknown[]) => void, ms = 0, ...args: unknown[]) => {
    const dueAtMs = performance.now() + ms;
    const timer = startTimer(() => {
      // a whole period more rather than the rest of it: late is what timers may be
      if (performance.now() < dueAtMs - 1) timer.refresh();
      else callback(...args);
    }, ms);
    return timer;
  }) as typeof setTimeout;

  return {
    stopWhile(work) {
      const beganAtMs = now();
      work();
      stoodMs += now() - beganAtMs;
    },
  };
}
