/** Runs until Ctrl-C or SIGTERM, or until a part ends by itself; then stops everything once, in the order given. */
export async function runUntilStopped(ended: readonly Promise<unknown>[], stop: () => Promise<void>): Promise<void> {
  const signalled = new Promise<void>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve());
  });
  let failure: unknown;
  await Promise.race([signalled, ...ended]).catch((error: unknown) => {
    failure = error;
  });
  await stop();
  if (failure !== undefined) throw failure;
}
