import type { Client } from '@temporalio/client';
import { pino } from 'pino';
import type { Dependencies } from '../../activities/dependencies.ts';
import type { Database } from '../../db/database.ts';
import { createCircuit } from '../../temporal/circuit.ts';
import { createTemporalPort } from '../../temporal/temporal-port.ts';
import { createVmSignals } from '../../temporal/vm-signals.ts';

/** What `reconcile` needs on this database and this Temporal server, and the lines that it logs. */
export function reconcilingOn(database: Database, client: Client): { deps: Dependencies; logged: string[] } {
  const logged: string[] = [];
  const deps = {
    database,
    temporal: createTemporalPort(client, createVmSignals(client, createCircuit(client))),
    log: pino({ level: 'warn' }, { write: (line: string) => void logged.push(line) }),
    now: Date.now,
  } as unknown as Dependencies;
  return { deps, logged };
}
