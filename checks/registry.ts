import { createAgentCheck } from './agent.ts';
import type { Check } from './check.ts';
import type { Egress } from './egress.ts';
import { createFping, type FpingOptions } from './fping.ts';
import { createHttpCheck } from './http.ts';
import { createPingCheck } from './ping.ts';
import { createTcpCheck } from './tcp.ts';

/** The types of check that there are. */
export const CHECK_TYPES: readonly string[] = ['ping', 'tcp', 'http', 'agent'];

export interface CheckDependencies {
  guard: Egress;
  fping?: FpingOptions;
  /** Certificates (PEM) of further authorities that https checks trust. */
  authorities?: readonly string[];
}

/** Every kind of check, ready to probe. Create once per process: pings of all VMs share processes. */
export function createChecks({ guard, fping, authorities }: CheckDependencies): ReadonlyMap<string, Check> {
  const checks = {
    ping: createPingCheck(guard, createFping(fping)),
    tcp: createTcpCheck(guard),
    http: createHttpCheck(guard, authorities),
    agent: createAgentCheck(),
  } satisfies Record<string, Check>;
  return new Map(Object.values(checks).map((check) => [check.type, check]));
}
