export type JsonValue = string | number | boolean | null | JsonValue[] | { [key: string]: JsonValue };

/** What one probe saw. A sick VM is an observation, never an exception. */
export interface Observation {
  /** `unknown` = could not tell (no permission, not yet heard, look failed); it moves no counter and heals nothing. */
  outcome: 'healthy' | 'unhealthy' | 'unknown';
  /** Machine-readable, kebab-case: `ok`, `timeout`, `http-status`, `not-yet-heard`, `target-refused` … */
  reason: string;
  /** The sentence for people (spec C "Messages"); null when healthy. */
  message: string | null;
  /** Milliseconds the target took to answer; null when it did not, or when the check does not measure. */
  latencyMs: number | null;
  /** Spec C "rawResponse": bounded, JSON, no secrets. */
  raw: { [key: string]: JsonValue };
}

export const CHECK_TYPES = ['ping', 'tcp', 'http', 'agent'] as const;
export type CheckType = (typeof CHECK_TYPES)[number];

/** One line for an operator, e.g. `http 200 12 ms`, `tcp timeout`, `agent 14 s ago`. Made by the check that looked. */
export interface Sighting {
  observation: Observation;
  summary: string;
}
