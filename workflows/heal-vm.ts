import {
  condition,
  continueAsNew,
  defineSignal,
  getExternalWorkflowHandle,
  log,
  proxyActivities,
  setCurrentDetails,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';
import type { HealActivities, HealDecision } from '../activities/contract.ts';
import { vmWorkflowId } from '../domain/ids.ts';
import { type CloseUp, HEAL_SIGNAL, type HealEnded, type HealInput, type HealNews, VM_SIGNAL } from './messages.ts';

const { decide, resolveOperation, verify } = proxyActivities<HealActivities>({
  startToCloseTimeout: '30 seconds',
  retry: { maximumInterval: '10 seconds' },
  priority: { priorityKey: 1 },
});

/** At most once: whatever happens to an attempt, Temporal never makes a second one. */
const { carryOut } = proxyActivities<HealActivities>({
  startToCloseTimeout: '20 seconds',
  retry: { maximumAttempts: 1 },
  priority: { priorityKey: 1 },
});

interface Heal extends HealInput {
  paused: boolean;
  /** Something this heal waits for may have happened. */
  news: boolean;
}

/** One heal: decide, act, see whether it helped, until the VM is well or nobody wants it healed any more. */
export async function healVm(input: HealInput): Promise<string> {
  const heal: Heal = { ...input, paused: input.paused ?? false, news: false };
  setHandler(defineSignal<[HealNews]>(HEAL_SIGNAL.news), ({ what }) => {
    heal.news = true;
    // a retired VM has nobody left to resume it
    if (what === 'paused' || what === 'resumed' || what === 'retired') heal.paused = what === 'paused';
  });

  for (;;) {
    if (heal.paused) await restUntilResumed(heal);
    heal.news = false;
    const decided = await decide(keyOf(heal));
    setCurrentDetails(decided.line);
    switch (decided.kind) {
      case 'stop':
        return close(heal, decided);
      case 'hold':
        await condition(() => heal.news, decided.lookAgainInMs);
        break;
      case 'act':
        await actOnce(decided.operationId);
        await sawItThrough(heal, decided);
        break;
    }
    if (workflowInfo().continueAsNewSuggested) {
      return continueAsNew<typeof healVm>({ ...input, paused: heal.paused });
    }
  }
}

async function restUntilResumed(heal: Heal): Promise<void> {
  setCurrentDetails('paused: decides nothing until the VM is resumed');
  await condition(() => !heal.paused);
}

/** Sends the operation; when it can't be known whether it was sent, that is resolved without sending. */
async function actOnce(operationId: string): Promise<void> {
  const ended = await carryOut({ operationId }).catch(() => ({ state: 'sent' as const, detail: 'no answer' }));
  if (ended.state === 'sent') await resolveOperation({ operationId });
}

/** Watches closely until the VM is healthy or the remedy's window is over. */
async function sawItThrough(heal: Heal, { operationId, verifyMs }: HealDecision & { kind: 'act' }): Promise<void> {
  const untilMs = Date.now() + verifyMs;
  if (verifyMs > 0) await tellVm<CloseUp>(heal, VM_SIGNAL.closeUp, { incident: heal.incident, untilMs });
  for (;;) {
    heal.news = false;
    const windowOver = Date.now() >= untilMs;
    const seen = await verify({ ...keyOf(heal), operationId, windowOver });
    setCurrentDetails(seen.line);
    if (seen.settled || windowOver) return;
    await condition(() => heal.news, Math.max(1, untilMs - Date.now()));
  }
}

async function close(heal: Heal, decided: HealDecision): Promise<string> {
  await tellVm<HealEnded>(heal, VM_SIGNAL.healEnded, { incident: heal.incident });
  return decided.line;
}

/** The VM's own workflow may be gone, when the VM is. */
async function tellVm<T>(heal: Heal, signal: string, message: T): Promise<void> {
  try {
    await getExternalWorkflowHandle(vmWorkflowId(heal.vmId)).signal(signal, message);
  } catch (error) {
    log.info('the VM is no longer watched', { error: String(error) });
  }
}

function keyOf(heal: Heal): { vmId: string; incident: number } {
  return { vmId: heal.vmId, incident: heal.incident };
}
