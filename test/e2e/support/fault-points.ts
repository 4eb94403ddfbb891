import { createConnection, Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Dependencies } from '../../../activities/dependencies.ts';
import type { Probe } from '../../../checks/check.ts';
import type { Provider } from '../../../providers/provider.ts';
import type { Wrap } from '../../../workers/start-worker.ts';

/** Where a worker can be made to die. Each is met at most once: a dead worker meets nothing. */
export const FAULT_POINTS = [
  'before-sent',
  'before-provider',
  'monitor-held',
  'before-write',
  'after-write',
  'after-answer',
  'mid-look',
  'mid-verify',
] as const;
export type FaultPoint = (typeof FAULT_POINTS)[number];

type Power = Provider['power'];
type ProbeVm = Probe['probe'];

/** Wraps a worker's world so that `die` is called at this point. `die` must not return. */
export function faultAt(point: FaultPoint, die: () => never): Wrap {
  switch (point) {
    case 'before-sent':
      return (deps) => beforeSent(deps, die);
    case 'before-provider':
      return (deps) => withPower(deps, () => async () => die());
    case 'monitor-held':
      return (deps) => withPower(deps, (power) => whileMonitorIsHeld(power, die));
    case 'before-write':
      return (deps) => withWrite(deps, () => die());
    case 'after-write':
      return (deps) => withWrite(deps, (write) => write(die));
    case 'after-answer':
      return (deps) =>
        withPower(deps, (power) => async (...args) => {
          await power(...args);
          return die();
        });
    case 'mid-look':
      return (deps) => midLook(deps, die);
    case 'mid-verify':
      return (deps) => midVerify(deps, die);
  }
}

/** Dies instead of asking Postgres to move an operation from intended to sent. */
function beforeSent(deps: Dependencies, die: () => never): Dependencies {
  const { pool } = deps.database;
  const query = pool.query.bind(pool) as (...args: unknown[]) => unknown;
  pool.query = ((...args: [{ text?: string }, unknown[]?]) => {
    if (args[0].text?.startsWith('update "operations"') && args[1]?.[0] === 'sent') die();
    return query(...args);
  }) as typeof pool.query;
  return deps;
}

/** Somebody else talks to the monitor: the provider waits for its greeting, and nothing may have been written. */
function whileMonitorIsHeld(power: Power, die: () => never): Power {
  return async (reference, action, timeoutMs) => {
    if (reference.kind === 'qemu') {
      const holder = createConnection(String(reference['qmpSocket']));
      await new Promise((resolve) => holder.once('data', resolve));
    }
    void sleep(1_000).then(die);
    return power(reference, action, timeoutMs);
  };
}

/** Stands between Defib and the socket when a reset is written; `write` hands its bytes to the kernel, then calls back. */
function withWrite(deps: Dependencies, instead: (write: (written: () => void) => boolean) => boolean): Dependencies {
  const original = Socket.prototype.write as (...args: unknown[]) => boolean;
  Socket.prototype.write = function write(this: Socket, ...args: unknown[]): boolean {
    if (!String(args[0]).includes('"system_reset"')) return original.apply(this, args);
    return instead((written) => original.call(this, args[0], written));
  } as typeof Socket.prototype.write;
  return deps;
}

/** Dies while it probes a VM that failed its last look: the look that would have asked for a heal. */
function midLook(deps: Dependencies, die: () => never): Dependencies {
  let failed = false;
  return withProbe(deps, (probe) => async (input) => {
    if (failed) void sleep(200).then(die);
    const result = await probe(input);
    failed = result.status === 'unhealthy';
    return result;
  });
}

/** Dies while it probes a VM that was reset: in its verify window. */
function midVerify(deps: Dependencies, die: () => never): Dependencies {
  let acted = false;
  const watched = withPower(deps, (power) => async (...args) => {
    const answer = await power(...args);
    acted = true;
    return answer;
  });
  return withProbe(watched, (probe) => (input) => {
    if (acted) void sleep(100).then(die);
    return probe(input);
  });
}

function withPower(deps: Dependencies, wrap: (power: Power) => Power): Dependencies {
  const reach: Dependencies['providers']['reach'] = (kind, instance) => {
    const reached = deps.providers.reach(kind, instance);
    return reached.ok ? { ok: true, provider: { ...reached.provider, power: wrap(reached.provider.power) } } : reached;
  };
  return { ...deps, providers: { ...deps.providers, reach } };
}

function withProbe(deps: Dependencies, wrap: (probe: ProbeVm) => ProbeVm): Dependencies {
  const probes: Dependencies['probes'] = new Map(
    [...deps.probes].map(([type, one]) => [type, { ...one, probe: wrap((input) => one.probe(input)) }]),
  );
  return { ...deps, probes };
}
