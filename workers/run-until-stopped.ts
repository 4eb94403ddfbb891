/** Ctrl-C reaches a process from its terminal and again from npm: signals within this time are one request. */
const SAME_REQUEST_MS = 3_000;

/**
 * Resolves at the first Ctrl-C, SIGTERM, or end of the terminal. Ask for it before there is anything to clear up: one that
 * comes some seconds later ends the process at once.
 */
export function stopSignal(): Promise<void> {
  return new Promise((resolve) => {
    let firstAtMs: number | undefined;
    const stop = () => {
      firstAtMs ??= Date.now();
      if (Date.now() - firstAtMs > SAME_REQUEST_MS) {
        process.stderr.write('Killed before it had stopped by itself; the next start clears up.\n');
        process.kill(process.pid, 'SIGKILL');
      }
      resolve();
    };
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, stop);
  });
}

/**
 * Runs until asked to stop, or until a part ends by itself; then stops everything once, in the order given.
 * @throws what ended the part.
 */
export async function runUntilStopped(
  stopRequested: Promise<void>,
  ended: readonly Promise<unknown>[],
  stop: () => Promise<void>,
): Promise<void> {
  let failure: unknown;
  await Promise.race([stopRequested, ...ended]).catch((error: unknown) => {
    failure = error;
  });
  await stop();
  if (failure !== undefined) throw failure;
}
