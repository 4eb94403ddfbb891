import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** An http check arrived then, and got 200 or, failing, 500. */
export interface Arrival {
  /** The end of the path: the VM's id, where it was known. */
  readonly label: string;
  readonly atMs: number;
  readonly ok: boolean;
}

/** The messages between targets.ts and the bench. */
export type FromTargets = { readonly port: number } | { readonly arrivals: readonly Arrival[] };
export interface ToTargets {
  readonly labels: readonly string[];
  readonly failing: boolean;
}

export interface Targets {
  readonly pid: number;
  readonly port: number;
  /** Hears of every arrival from now on; returns what ends that. */
  listen(heard: (arrival: Arrival) => void): () => void;
  setFailing(labels: readonly string[], failing: boolean): void;
}

/** Starts targets.ts, a process of its own, and waits for its port. */
export async function startTargets(): Promise<Targets> {
  const child = fork(fileURLToPath(new URL('./targets.ts', import.meta.url)), { execArgv: ['--import', 'tsx'] });
  const listeners = new Set<(arrival: Arrival) => void>();
  const port = await new Promise<number>((resolve, reject) => {
    child.once('exit', (code) => reject(new Error(`the targets' process ended with ${code}`)));
    child.on('message', (message: FromTargets) => {
      if ('port' in message) return resolve(message.port);
      for (const arrival of message.arrivals) {
        for (const heard of listeners) heard(arrival);
      }
    });
  });
  return {
    pid: child.pid!,
    port,
    listen(heard) {
      listeners.add(heard);
      return () => listeners.delete(heard);
    },
    setFailing: (labels, failing) => void child.send({ labels, failing } satisfies ToTargets),
  };
}
