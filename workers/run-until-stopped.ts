/** Resolves at the first Ctrl-C or SIGTERM. Ask for it before there is anything to clear up. */
export function stopSignal(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve());
  });
}

/** Runs until told to stop, or until a part ends by itself; then stops everything once, in the order given. */
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
