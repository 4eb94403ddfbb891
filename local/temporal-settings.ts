/**
 * Dynamic configuration for one small machine. Priority and fairness need the two matching switches on server 1.29; timers and
 * partitions take the p99 lateness at 150 looks a second from 870 ms to 85 (measured); the limits on calls a second only have
 * to be well above the load. Caches hold the state of every watched VM and the event that scheduled its look: the dev server's
 * own 8,096 states and 512 KB of events are too few for 9,000 VMs that take turns, and each look would read both from disk.
 * Timers that have fired are deleted every 5 s, because the default deletes those of 30 s in one statement on the only
 * connection (not measured by itself). A workflow whose task fails is tried again at least once a minute, not every ten: after
 * a build that can't replay it, it continues soon.
 */
export const TEMPORAL_SETTINGS = {
  'matching.useNewMatcher': true,
  'matching.enableFairness': true,
  'matching.numTaskqueueReadPartitions': 1,
  'matching.numTaskqueueWritePartitions': 1,
  'history.timerProcessorMaxPollRPS': 500,
  'history.timerProcessorMaxPollHostRPS': 1_000,
  'history.timerProcessorUpdateAckInterval': '5s',
  'history.workflowTaskRetryMaxInterval': '1m',
  'history.hostLevelCacheMaxSize': 128_000,
  'history.eventsCacheMaxSizeBytes': 67_108_864,
  'frontend.rps': 20_000,
  'frontend.namespaceRPS': 20_000,
  'frontend.namespaceRPS.visibility': 200,
  'history.rps': 20_000,
  'matching.rps': 20_000,
} as const satisfies Record<string, number | boolean | string>;

/**
 * Of the Go runtime: marking the state of all watched VMs was a sixth of the server's CPU at 150 looks a second (measured).
 * Half as many collections cost memory, little where few VMs are watched.
 */
export const TEMPORAL_RUNTIME = { GOGC: '200' } as const;

/** Data survives a crash of the server or of its parent; a power cut may lose the last moments. */
export const SQLITE_PRAGMAS = ['journal_mode=WAL', 'synchronous=NORMAL', 'cache_size=-65536'] as const;
