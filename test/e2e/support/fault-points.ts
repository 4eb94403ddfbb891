import { createConnection, Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import type { Dependencies } from '../../../activities/dependencies.ts';
import type { Probe } from '../../../checks/check.ts';
import type { PreparedAction, Provider } from '../../../providers/provider.ts';

type Prepare = Provider['prepare'];
type Send = PreparedAction['send'];
type ProbeVm = Probe['probe'];
type Fault = (deps: Dependencies, faults: Faults) => Dependencies;

/** What can happen to a worker at a point. */
export interface Faults {
  /** SIGKILL. */
  die: () => never;
  /** SIGSTOP; returns after SIGCONT. */
  freeze: () => void;
  /** The same, as if its machine were frozen, and that machine's clocks and timers with it. */
  freezeMachine: () => void;
}

/**
 * Where a worker can be made to die, or be frozen: each wraps its world so that this happens at that point. Each is met at
 * most once: a dead worker meets nothing, and one that was frozen has met it.
 */
export const FAULTS = {
  'before-sent': (deps, { die }) => withQuery(deps, isMove, () => die()),
  'before-provider': (deps, { die }) => withPrepare(deps, () => async () => die()),
  'monitor-held': (deps, { die }) => withPrepare(deps, (prepare) => whileMonitorIsHeld(prepare, die)),
  'after-sent': (deps, { die }) => withSend(deps, () => async () => die()),
  'before-write': (deps, { die }) => withWrite(deps, () => die()),
  'after-write': (deps, { die }) => withWrite(deps, (write) => write(die)),
  'after-answer': (deps, { die }) => withSend(deps, (send) => afterAnswer(send, die)),
  'mid-look': midLook,
  'mid-verify': midVerify,
  'frozen-connected': (deps, { freezeMachine }) =>
    withPrepare(deps, (prepare) => async (...args) => {
      const ready = await prepare(...args);
      freezeMachine();
      return ready;
    }),
  'frozen-in-move': (deps, { freeze }) => withQuery(deps, isMove, (ask) => whileAnswered(ask, freeze)),
  'frozen-in-commit': frozenInCommit,
  'frozen-before-confirmation': (deps, { freezeMachine }) =>
    withQuery(deps, isConfirmation, (ask) => {
      freezeMachine();
      return ask();
    }),
} satisfies Record<string, Fault>;
export type FaultPoint = keyof typeof FAULTS;

/** A query as drizzle asks it. */
interface Asked {
  client: Client;
  text: string;
  values: readonly unknown[];
}

function isMove({ text, values }: Asked): boolean {
  return text.startsWith('update "operations"') && values[0] === 'sent';
}

function isConfirmation({ text }: Asked): boolean {
  return /defib_now\(\) - .*"sent_at"/.test(text);
}

/** The question is out; its answer is not read before the process goes on. */
function whileAnswered(ask: () => unknown, freeze: () => void): unknown {
  const answer = ask();
  freeze();
  return answer;
}

/** The move to sent is committed, and its worker does not know it. */
function frozenInCommit(deps: Dependencies, { freeze }: Faults): Dependencies {
  let moving: Client | null = null;
  const watched = withQuery(deps, isMove, (ask, { client }) => {
    moving = client;
    return ask();
  });
  const isItsCommit = ({ client, text }: Asked) => client === moving && text === 'commit';
  return withQuery(watched, isItsCommit, (ask) => whileAnswered(ask, freeze));
}

/** Stands between Defib and Postgres the first time that such a query is asked; `ask` writes it to the socket. */
function withQuery(
  deps: Dependencies,
  isMeant: (asked: Asked) => boolean,
  instead: (ask: () => unknown, asked: Asked) => unknown,
): Dependencies {
  const query = Client.prototype.query as (...args: unknown[]) => unknown;
  let met = false;
  Client.prototype.query = function askOnce(this: Client, ...args: [{ text?: string } | string, unknown[]?]) {
    const [given, values = []] = args;
    const asked = { client: this, text: typeof given === 'string' ? given : (given.text ?? ''), values };
    const ask = () => query.apply(this, args);
    if (met || !isMeant(asked)) return ask();
    met = true;
    return instead(ask, asked);
  } as typeof Client.prototype.query;
  return deps;
}

/** Somebody else talks to the monitor: the provider waits for its greeting, and nothing may have been written. */
function whileMonitorIsHeld(prepare: Prepare, die: () => never): Prepare {
  return async (reference, action, timeoutMs) => {
    if (reference.kind === 'qemu') {
      const holder = createConnection(String(reference['qmpSocket']));
      await new Promise((resolve) => holder.once('data', resolve));
    }
    void sleep(1_000).then(die);
    return prepare(reference, action, timeoutMs);
  };
}

function afterAnswer(send: Send, die: () => never): Send {
  return async (timeoutMs) => {
    await send(timeoutMs);
    return die();
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
function midLook(deps: Dependencies, { die }: Faults): Dependencies {
  let failed = false;
  return withProbe(deps, (probe) => async (input) => {
    if (failed) void sleep(200).then(die);
    const result = await probe(input);
    failed = result.status === 'unhealthy';
    return result;
  });
}

/** Dies while it probes a VM that was reset: in its verify window. */
function midVerify(deps: Dependencies, { die }: Faults): Dependencies {
  let acted = false;
  const watched = withSend(deps, (send) => async (timeoutMs) => {
    const answer = await send(timeoutMs);
    acted = true;
    return answer;
  });
  return withProbe(watched, (probe) => (input) => {
    if (acted) void sleep(100).then(die);
    return probe(input);
  });
}

function withSend(deps: Dependencies, wrap: (send: Send) => Send): Dependencies {
  return withPrepare(deps, (prepare) => async (...args) => {
    const ready = await prepare(...args);
    return ready.ok ? { ok: true, prepared: { ...ready.prepared, send: wrap(ready.prepared.send) } } : ready;
  });
}

function withPrepare(deps: Dependencies, wrap: (prepare: Prepare) => Prepare): Dependencies {
  const reach: Dependencies['providers']['reach'] = (kind, instance) => {
    const reached = deps.providers.reach(kind, instance);
    return reached.ok
      ? { ok: true, provider: { ...reached.provider, prepare: wrap(reached.provider.prepare) } }
      : reached;
  };
  return { ...deps, providers: { ...deps.providers, reach } };
}

function withProbe(deps: Dependencies, wrap: (probe: ProbeVm) => ProbeVm): Dependencies {
  const probes: Dependencies['probes'] = new Map(
    [...deps.probes].map(([type, one]) => [type, { ...one, probe: wrap((input) => one.probe(input)) }]),
  );
  return { ...deps, probes };
}
