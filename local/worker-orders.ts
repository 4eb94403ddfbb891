import type { Settings } from '../domain/settings.ts';
import type { Connections } from '../workers/connections.ts';

/**
 * What `npm start` sends to its worker over the channel between them. The secrets among it stand neither in a command line nor in
 * an environment, where other programs could read them.
 */
export type ToWorker =
  | { readonly kind: 'begin'; readonly settings: Settings; readonly connections: WorkerConnections }
  /** Temporal was started again, and opened others. */
  | { readonly kind: 'own-ports'; readonly ports: readonly number[] };

export interface WorkerConnections extends Omit<Connections, 'ownPorts'> {
  readonly ownPorts: readonly number[];
}

/** What the worker answers once it looks and heals. */
export const RUNNING = 'running';
