import { ActivityFailure, type SignalDefinition, WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import {
  type ActivityOptions,
  condition,
  continueAsNew,
  getExternalWorkflowHandle,
  log,
  ParentClosePolicy,
  patched,
  proxyActivities,
  setCurrentDetails,
  setHandler,
  startChild,
  WorkflowIdReusePolicy,
  workflowInfo,
} from '@temporalio/workflow';
import type { HealActivities, HealDecision, OperationEnd, ProviderAnswer } from '../activities/contract.ts';
import { MAX_HOLD_MS } from '../domain/hold.ts';
import { healWorkflowId, vmWorkflowId } from '../domain/ids.ts';
import type { ReadBack } from '../domain/power.ts';
import { type HealInput, type HealNews, healSignals, type Verifying, vmSignals, WORKFLOW } from './messages.ts';
import { providerActivities, readBackActivities, wasTaken, whyUnanswered } from './provider-call.ts';

const UNTIL_DONE = {
  startToCloseTimeout: '30 seconds',
  retry: { maximumInterval: '10 seconds' },
  priority: { priorityKey: 1 },
} satisfies ActivityOptions;

// the summaries are what people read in the Web UI
const { decide } = proxyActivities<HealActivities>({ ...UNTIL_DONE, summary: 'asks every guard what to do' });
const { resolveOperation } = proxyActivities<HealActivities>({ ...UNTIL_DONE, summary: 'in doubt: never sent again' });
const { verify } = proxyActivities<HealActivities>({ ...UNTIL_DONE, summary: 'did it help?' });

interface Heal extends HealInput {
  /** Whether the VM is paused, by the last signal. */
  paused: boolean;
  /** Where its provider is reached, as far as is known. */
  providerSite: string;
  /** Something this heal waits for may have happened. */
  news: boolean;
}

type Act = HealDecision & { kind: 'act' };
type Verified = Awaited<ReturnType<HealActivities['verify']>>;

/** One heal: decide, act, see whether it helped, until the VM is well or nobody wants it healed any more. */
export async function healVm(input: HealInput): Promise<string> {
  const heal: Heal = { ...input, paused: input.paused ?? false, providerSite: input.site, news: false };
  listen(heal);
  if (input.verifying) await awaitVerification(heal, input.verifying);

  for (;;) {
    if (restsBySignal(heal)) await restUntilResumed(heal);
    heal.news = false;
    const decided = await askAndDecide(heal);
    setCurrentDetails(decided.line);
    switch (decided.kind) {
      case 'close':
      case 'stop':
        await signalVm(heal, vmSignals.healEnded, { incident: heal.incident });
        return decided.line;
      case 'hold':
        await condition(() => heal.news, Math.min(decided.lookAgainInMs, MAX_HOLD_MS), {
          summary: `holds: ${decided.reason}`,
        });
        break;
      case 'act': {
        // paused while it was decided: it is decided again after the pause, because `carryOut` refuses old decisions
        if (restsBySignal(heal)) break;
        await carryOutOnce(decided);
        const { operationId, verifyMs } = decided;
        await awaitVerification(heal, { operationId, verifyMs, untilMs: await openWindow(heal, verifyMs) });
        break;
      }
    }
    if (workflowInfo().continueAsNewSuggested) await goOnAsNew(heal);
  }
}

function listen(heal: Heal): void {
  setHandler(
    healSignals.news,
    ({ what }) => {
      heal.news = true;
      // nobody resumes a retired VM
      if (what === 'paused' || what === 'resumed' || what === 'retired') heal.paused = what === 'paused';
    },
    { description: healSignals.news.description },
  );
}

/** Heals of 0.1 rested while signals said so; since then every decision reads it from the database. */
function restsBySignal({ paused }: Heal): boolean {
  return paused && !patched('pause-is-stored');
}

async function restUntilResumed(heal: Heal): Promise<void> {
  setCurrentDetails('paused: decides nothing until the VM is resumed');
  await condition(() => !heal.paused);
}

async function goOnAsNew({ vmId, tenantId, site, incident, paused }: Heal, verifying?: Verifying): Promise<never> {
  const input: HealInput = { vmId, tenantId, site, incident, paused };
  return continueAsNew<typeof healVm>(verifying ? { ...input, verifying } : input);
}

type Decided = Exclude<HealDecision, { kind: 'ask' }>;

/** The provider is asked where it can be reached; the decision is made where all facts come together. */
async function askAndDecide(heal: Heal): Promise<Decided> {
  for (;;) {
    // heals of 0.1 had the provider asked by `decide`
    const provider = patched('provider-asked-at-its-site') ? await askProviderAt(heal) : undefined;
    const decided = await decide(provider === undefined ? keyOf(heal) : { ...keyOf(heal), provider });
    if (decided.kind !== 'ask') return decided;
    heal.providerSite = decided.site;
  }
}

async function askProviderAt({ vmId, providerSite: site }: Heal): Promise<ProviderAnswer> {
  try {
    return await providerActivities(site, 'asks the hypervisor how the VM is').askProvider({ vmId });
  } catch (error) {
    return { site, fact: { answered: false, reason: 'unreachable', message: whyUnanswered(site, error) } };
  }
}

/** Sends the operation; when it can't be known whether it was sent, that is resolved without sending. */
async function carryOutOnce({ operationId, action, site = null }: Act): Promise<void> {
  const { carryOut } = providerActivities(site, `${action}, sent at most once`);
  const end = await carryOut({ operationId }).catch((error) => endUnanswered(site, error));
  if (end.state !== 'sent' && !end.unrecorded) return;
  // heals of 0.1 read nothing back
  if (!patched('operation-is-read-back')) await resolveOperation({ operationId });
  else if (end.unrecorded) await resolveOperation({ operationId, end });
  else await resolveOperation({ operationId, readBack: await readBackAt(site, operationId) });
}

function endUnanswered(site: string | null, error: unknown): OperationEnd {
  const detail = whyUnanswered(site ?? 'any', error);
  // asked for before, by a run that was lost or reset, it may be sent by whoever took it then
  return { state: 'sent', detail, ...(wasTaken(error) ? {} : { unrecorded: true }) };
}

async function readBackAt(site: string | null, operationId: string): Promise<ReadBack | null> {
  try {
    return await readBackActivities(site).readBack({ operationId });
  } catch (error) {
    return { verdict: 'cannot-tell', detail: whyUnanswered(site ?? 'any', error) };
  }
}

/** Has the VM watched closely until it is healthy or the remedy's window is over. */
async function awaitVerification(heal: Heal, { operationId, verifyMs, untilMs }: Verifying): Promise<void> {
  let until = untilMs;
  let paused = false;
  for (;;) {
    if (restsBySignal(heal)) {
      // nobody looks meanwhile, so the remedy's window begins again after the pause
      await restUntilResumed(heal);
      until = await openWindow(heal, verifyMs);
    }
    heal.news = false;
    const windowOver: boolean = !paused && Date.now() >= until;
    const verified: Verified = await verify({ ...keyOf(heal), operationId, windowOver });
    setCurrentDetails(verified.line);
    if (verified.settled || (windowOver && !verified.paused)) return;
    if (paused && !verified.paused) until = await openWindow(heal, verifyMs);
    paused = verified.paused ?? false;
    const leftMs = paused ? MAX_HOLD_MS : Math.max(1, until - Date.now());
    await condition(() => heal.news, Math.min(leftMs, verified.lookAgainInMs ?? leftMs), {
      summary: paused ? 'paused: waits until it is resumed' : 'waits for conclusive looks',
    });
    if (workflowInfo().continueAsNewSuggested) await goOnAsNew(heal, { operationId, verifyMs, untilMs: until });
  }
}

async function openWindow(heal: Heal, verifyMs: number): Promise<number> {
  const untilMs = Date.now() + verifyMs;
  if (verifyMs > 0) await signalVm(heal, vmSignals.watchClosely, { incident: heal.incident, untilMs });
  return untilMs;
}

/** The VM's own workflow may be gone, when the VM is. */
async function signalVm<T>({ vmId }: Heal, signal: SignalDefinition<[T]>, message: T): Promise<void> {
  try {
    await getExternalWorkflowHandle(vmWorkflowId(vmId)).signal(signal, message);
  } catch (error) {
    log.info('the VM is no longer watched', { error: String(error) });
  }
}

function keyOf(heal: Heal): { vmId: string; incident: number } {
  return { vmId: heal.vmId, incident: heal.incident };
}

// limited in time, because nobody looks at the VM meanwhile
const incidents = proxyActivities<HealActivities>({
  startToCloseTimeout: '10 seconds',
  scheduleToCloseTimeout: '30 seconds',
  summary: 'opens an incident',
});

/** For workflow `vm/<vmId>`: opens an incident, or finds the open one. Null when neither can be done now. */
export async function openIncident(vmId: string): Promise<number | null> {
  try {
    return (await incidents.openIncident({ vmId })).incident;
  } catch (error) {
    if (!(error instanceof ActivityFailure)) throw error;
    log.warn('no incident could be opened', { error: String(error.cause) });
    return null;
  }
}

/** For workflow `vm/<vmId>`: starts the heal of an incident; false when it runs already. */
export async function startHeal(input: HealInput): Promise<boolean> {
  try {
    await startChild<typeof healVm>(WORKFLOW.healVm, {
      workflowId: healWorkflowId(input.vmId, input.incident),
      args: [input],
      parentClosePolicy: ParentClosePolicy.ABANDON,
      workflowIdReusePolicy: WorkflowIdReusePolicy.ALLOW_DUPLICATE,
      staticSummary: `heals incident ${input.incident}`,
      priority: { priorityKey: 1, fairnessKey: input.tenantId },
    });
    return true;
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
    return false;
  }
}

/** For workflow `vm/<vmId>`: signals the heal of an incident; false when it is over. */
export async function signalHeal(vmId: string, incident: number, what: HealNews['what']): Promise<boolean> {
  try {
    await getExternalWorkflowHandle(healWorkflowId(vmId, incident)).signal(healSignals.news, { what });
    return true;
  } catch (error) {
    log.info('the heal is over', { incident, error: String(error) });
    return false;
  }
}
