/** Policies change and signals may be lost: whatever it waits for, a heal decides again after this time. */
export const MAX_HOLD_MS = 5 * 60_000;
