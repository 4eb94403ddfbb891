/**
 * Dynamic configuration for one small machine. Priority and fairness need the two matching switches on server 1.29;
 * timers and partitions take the p99 lateness at 150 looks a second from 870 ms to 85 (measured); the limits on calls
 * a second only have to be well above the load.
 */
export const TEMPORAL_SETTINGS = {
  'matching.useNewMatcher': true,
  'matching.enableFairness': true,
  'matching.numTaskqueueReadPartitions': 1,
  'matching.numTaskqueueWritePartitions': 1,
  'history.timerProcessorMaxPollRPS': 500,
  'history.timerProcessorMaxPollHostRPS': 1_000,
  'frontend.rps': 20_000,
  'frontend.namespaceRPS': 20_000,
  'frontend.namespaceRPS.visibility': 200,
  'history.rps': 20_000,
  'matching.rps': 20_000,
} as const satisfies Record<string, number | boolean>;

/** Data survives a crash of the server or of its parent; a power cut may lose the last moments. */
export const SQLITE_PRAGMAS = ['journal_mode=WAL', 'synchronous=NORMAL'] as const;
