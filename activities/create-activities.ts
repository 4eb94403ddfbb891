import { recordIncident } from '../db/heals/incidents.ts';
import { callProvider } from './call-provider.ts';
import type { Activities } from './contract.ts';
import type { Dependencies } from './dependencies.ts';
import { askProvider } from './heal/ask-provider.ts';
import { carryOut } from './heal/carry-out.ts';
import { decide } from './heal/decide.ts';
import { readBack } from './heal/read-back.ts';
import { resolveOperation } from './heal/resolve-operation.ts';
import { verify } from './heal/verify.ts';
import { withPlainFailures } from './plain-failures.ts';
import { reconcile } from './reconcile.ts';
import { reconcileAgain } from './reconcile-again.ts';
import { applyRetention } from './retention.ts';
import { withSentencesFirst } from './sentences-first.ts';
import { storePause } from './store-pause.ts';
import { createWatchActivities } from './watch.ts';

/** Everything that touches the world, for workflows. */
export function createActivities(deps: Dependencies): Activities {
  const upkeep: Dependencies = { ...deps, database: deps.upkeep };
  return withPlainFailures(
    withSentencesFirst({
      ...createWatchActivities({ ...deps, database: deps.lookReads }),
      storePause: (input) => storePause(deps, input),
      openIncident: async ({ vmId }) => opened(await recordIncident(deps.database, vmId, deps.now())),
      askProvider: ({ vmId }) => askProvider(deps, vmId),
      decide: (input) => decide(deps, input),
      carryOut: ({ operationId }) => carryOut(deps, operationId),
      callProvider: (call) => callProvider(deps, call),
      readBack: ({ operationId }) => readBack(deps, operationId),
      resolveOperation: ({ operationId, ...known }) => resolveOperation(deps, operationId, known),
      verify: (input) => verify(deps, input),
      applyRetention: () => applyRetention(upkeep),
      reconcile: (input) => (input === undefined ? reconcile(upkeep) : reconcileAgain(upkeep, input.everyMs)),
    }),
  );
}

function opened(incident: number | null): Awaited<ReturnType<Activities['openIncident']>> {
  return { line: incident === null ? 'none: the VM is paused' : `incident ${incident} is open`, incident };
}
