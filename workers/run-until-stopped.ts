/** Ctrl-C reaches a process from its terminal and again from npm: all that come within this time are one. */
const SAME_WISH_MS = 3_000;

/**
 * Resolves at the first Ctrl-C, SIGTERM, or end of the terminal. Ask for it before there is anything to clear up: one that
 * comes some seconds later ends the process at once.
 */
export function stopSignal(): Promise<void> {
  return new Promise((resolve) => {
    let firstAtMs: number | undefined;
    const stop = () => {
      firstAtMs ??= Date.now();
      if (Date.now() - firstAtMs > SAME_WISH_MS) {
        process.stderr.write('Killed before it had stopped by itself; the next start clears up.\n');
        process.kill(process.pid, 'SIGKILL');
      }
      resolve();
    };
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, stop);
  });
}

/**
 * Runs until told to stop, or until a part ends by itself; then stops everything once, in the order given.
 * @throws what ended the part.
 */
export async function runUntilStopped(
  told: Promise<void>,
  ended: readonly Promise<unknown>[],
  stop: () => Promise<void>,
): Promise<void> {
  let failure: unknown;
  await Promise.race([told, ...ended]).catch((error: unknown) => {
    failure = error;
  });
  await stop();
  if (failure !== undefined) throw failure;
}
