import {
  type ActivityOptions,
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
import {
  HEAL_SIGNAL,
  type HealEnded,
  type HealInput,
  type HealNews,
  VM_SIGNAL,
  type WatchClosely,
} from './messages.ts';

const UNTIL_DONE = {
  startToCloseTimeout: '30 seconds',
  retry: { maximumInterval: '10 seconds' },
  priority: { priorityKey: 1 },
} satisfies ActivityOptions;

/** At most once: whatever happens to an attempt, Temporal never makes a second one. */
const ONCE = {
  startToCloseTimeout: '20 seconds',
  retry: { maximumAttempts: 1 },
  priority: { priorityKey: 1 },
} satisfies ActivityOptions;

// the summaries are what people read in the Web UI
const { decide } = proxyActivities<HealActivities>({ ...UNTIL_DONE, summary: 'asks every guard what to do' });
const { resolveOperation } = proxyActivities<HealActivities>({ ...UNTIL_DONE, summary: 'in doubt: never sent again' });
const { verify } = proxyActivities<HealActivities>({ ...UNTIL_DONE, summary: 'did it help?' });

/** Policies change and news may be lost: whatever it waits for, a heal sees for itself this often. */
const MAX_HOLD_MS = 5 * 60_000;

interface Heal extends HealInput {
  paused: boolean;
  /** Something this heal waits for may have happened. */
  news: boolean;
}

/** One heal: decide, act, see whether it helped, until the VM is well or nobody wants it healed any more. */
export async function healVm(input: HealInput): Promise<string> {
  const heal: Heal = { ...input, paused: input.paused ?? false, news: false };
  setHandler(
    defineSignal<[HealNews]>(HEAL_SIGNAL.news),
    ({ what }) => {
      heal.news = true;
      // a retired VM has nobody left to resume it
      if (what === 'paused' || what === 'resumed' || what === 'retired') heal.paused = what === 'paused';
    },
    { description: 'something it waits for may have happened' },
  );

  for (;;) {
    if (heal.paused) await restUntilResumed(heal);
    heal.news = false;
    const decided = await decide(keyOf(heal));
    setCurrentDetails(decided.line);
    switch (decided.kind) {
      case 'close':
      case 'stop':
        return close(heal, decided);
      case 'hold':
        await condition(() => heal.news, Math.min(decided.lookAgainInMs, MAX_HOLD_MS), {
          summary: `holds: ${decided.reason}`,
        });
        break;
      case 'act':
        // paused while it was decided: asked again later, `carryOut` refuses what was decided too long ago
        if (heal.paused) break;
        await actOnce(decided);
        await awaitVerification(heal, decided);
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
async function actOnce({ operationId, action }: HealDecision & { kind: 'act' }): Promise<void> {
  const { carryOut } = proxyActivities<HealActivities>({ ...ONCE, summary: `${action}, sent at most once` });
  const ended = await carryOut({ operationId }).catch(() => ({ state: 'sent' as const, detail: 'no answer' }));
  if (ended.state === 'sent') await resolveOperation({ operationId });
}

/** Watches closely until the VM is healthy or the remedy's window is over. */
async function awaitVerification(heal: Heal, { operationId, verifyMs }: HealDecision & { kind: 'act' }): Promise<void> {
  let untilMs = await openWindow(heal, verifyMs);
  for (;;) {
    if (heal.paused) {
      // nobody looks meanwhile, which is not held against the remedy
      await restUntilResumed(heal);
      untilMs = await openWindow(heal, verifyMs);
    }
    heal.news = false;
    const windowOver = Date.now() >= untilMs;
    const seen = await verify({ ...keyOf(heal), operationId, windowOver });
    setCurrentDetails(seen.line);
    if (seen.settled || windowOver) return;
    const leftMs = Math.max(1, untilMs - Date.now());
    await condition(() => heal.news, Math.min(leftMs, seen.lookAgainInMs ?? leftMs), {
      summary: 'waits for looks that tell',
    });
  }
}

/** Until then the VM is looked at closely. */
async function openWindow(heal: Heal, verifyMs: number): Promise<number> {
  const untilMs = Date.now() + verifyMs;
  if (verifyMs > 0) await tellVm<WatchClosely>(heal, VM_SIGNAL.watchClosely, { incident: heal.incident, untilMs });
  return untilMs;
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
