import { Client, Connection } from '@temporalio/client';
import { pino } from 'pino';
import { createApi } from '../api/create-api.ts';
import { createCheckRules } from '../checks/registry.ts';
import { openDatabase } from '../db/database.ts';
import { parseSettings } from '../domain/settings.ts';
import { createCircuit } from '../temporal/circuit.ts';
import { createVmSignals } from '../temporal/vm-signals.ts';

const NOWHERE = '127.0.0.1:1';

/** The OpenAPI document that an API with the default settings serves. This one never listens, and so it connects to nothing. */
export function describeApi(): object {
  const parsed = parseSettings({});
  if (!parsed.ok) throw new Error(parsed.problems.join('; '));
  const { settings } = parsed;
  const client = new Client({ connection: Connection.lazy({ address: NOWHERE }) });
  const { describe } = createApi({
    database: openDatabase(`postgres://${NOWHERE}/none`, { applicationName: 'describe-api' }),
    temporal: createVmSignals(client, createCircuit(client)),
    settings,
    checks: createCheckRules({
      allow: settings.CHECK_TARGETS_ALLOW,
      ownPorts: new Set(),
      adminsReachThisMachine: false,
    }),
    providers: { sealCredentials: notServed, call: notServed },
    clock: Date.now,
    logger: pino({ level: 'silent' }),
  });
  return describe();
}

function notServed(): never {
  throw new Error('this API serves no requests');
}
