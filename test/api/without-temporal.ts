import type { Delivery, VmSignals } from '../../temporal/vm-signals.ts';

const delivered = async (): Promise<Delivery> => ({ ok: true });

/** Stands for Temporal where a test is not about it: takes everything. */
export const withoutTemporal: VmSignals = {
  isAway: false,
  announce: delivered,
  lookNow: delivered,
  retire: delivered,
  attemptsReset: delivered,
  answers: delivered,
};
