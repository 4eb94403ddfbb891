import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Arrival, FromTargets, ToTargets } from './targets-messages.ts';

export interface Targets {
  readonly pid: number;
  readonly port: number;
  /** Hears of every arrival from now on; returns what ends that. */
  listen(heard: (arrival: Arrival) => void): () => void;
  setFailing(labels: readonly string[], failing: boolean): void;
}

/** Starts targets.ts and waits for its port. */
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
