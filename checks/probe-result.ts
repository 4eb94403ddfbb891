import type { JsonValue, Sighting } from '../domain/observation.ts';

/** Why a look did not find its target healthy. `unknown`: the fault is on our side, or nothing was asked. */
export interface Failure {
  outcome: 'unhealthy' | 'unknown';
  reason: string;
  message: string;
}

type Raw = { [key: string]: JsonValue };

/** The target answered as it should. `label` opens the operator's line: `http 200`, `tcp:22`. */
export function sawHealthy(label: string, elapsedMs: number, raw: Raw): Sighting {
  const latencyMs = Math.round(elapsedMs * 100) / 100;
  const shown = latencyMs < 1 ? Number(latencyMs.toPrecision(1)) : Math.round(latencyMs);
  return {
    observation: { outcome: 'healthy', reason: 'ok', message: null, latencyMs, raw },
    summary: `${label} ${shown} ms`,
  };
}

/** The target did not; the reason, in words, closes the operator's line unless `line` is given. */
export function sawFailure(label: string, failure: Failure, raw: Raw, line?: string): Sighting {
  return {
    observation: { ...failure, latencyMs: null, raw },
    summary: line ?? `${label} ${failure.reason.replaceAll('-', ' ')}`,
  };
}

/** A VM without an address can't be looked at over the network; that says nothing about its health. */
export function noAddress(label: string, raw: Raw): Sighting {
  const message = 'This VM has no address to look at: set its address, or give the check a URL.';
  return sawFailure(label, { outcome: 'unknown', reason: 'no-address', message }, raw);
}

/** At most `length` UTF-16 units of a text, never half a surrogate pair. */
export function excerpt(text: string, length = 500): string {
  const last = text.charCodeAt(length - 1);
  return text.slice(0, last >= 0xd800 && last <= 0xdbff ? length - 1 : length);
}
