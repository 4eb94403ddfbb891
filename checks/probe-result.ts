import type { JsonObject } from '../domain/json-value.ts';
import type { ProbeResult } from '../domain/probe-result.ts';

/** Why a probe did not find its target healthy. `unknown`: the fault is on our side, or nothing was asked. */
export interface Failure {
  status: 'unhealthy' | 'unknown';
  reason: string;
  message: string;
  /** What the operator's line says instead of the reason, without the label. */
  brief?: string;
}

/** The target answered as it should. `label` opens the operator's line: `http 200`, `tcp:22`. */
export function healthyResult(label: string, elapsedMs: number, rawResponse: JsonObject): ProbeResult {
  const latencyMs = Math.round(elapsedMs * 100) / 100;
  const shown = latencyMs < 1 ? Number(latencyMs.toPrecision(1)) : Math.round(latencyMs);
  return {
    status: 'healthy',
    reason: 'ok',
    message: null,
    latencyMs,
    rawResponse,
    summary: `${label} ${shown} ms`,
  };
}

/** The target did not; the operator's line is `summary`, or else the label and the reason in words. */
export function failedResult(
  label: string,
  { status, reason, message, brief }: Failure,
  rawResponse: JsonObject,
  summary = `${label} ${brief ?? reason.replaceAll('-', ' ')}`,
): ProbeResult {
  return { status, reason, message, latencyMs: null, rawResponse, summary };
}

/** A VM without an address can't be looked at over the network; that says nothing about its health. */
export function noAddressResult(label: string, rawResponse: JsonObject): ProbeResult {
  const message = 'This VM has no address to look at: set its address, or give the check a URL.';
  return failedResult(label, { status: 'unknown', reason: 'no-address', message }, rawResponse);
}

/** At most `length` UTF-16 units of a text, never half a surrogate pair. */
export function excerpt(text: string, length = 500): string {
  const last = text.charCodeAt(length - 1);
  return text.slice(0, last >= 0xd800 && last <= 0xdbff ? length - 1 : length);
}
