import type { SignalDefinition } from '@temporalio/common';
import {
  type ActivityInterfaceFor,
  type ActivityOptions,
  condition,
  getExternalWorkflowHandle,
  log,
  makeContinueAsNewFunc,
  patched,
  proxyActivities,
  setCurrentDetails,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';
import type { HealActivities, HealDecision, OperationEnd, ProviderAnswer } from '../activities/contract.ts';
import { durationInWords } from '../domain/duration-words.ts';
import { type CarriedOutRemedy, healEnding, remedyInWords } from '../domain/heal-ending.ts';
import { MAX_HOLD_MS } from '../domain/hold.ts';
import { vmWorkflowId } from '../domain/ids.ts';
import type { ReadBack } from '../domain/power.ts';
import { asSummary } from '../domain/summaries.ts';
import type { UnknownSignal } from '../domain/unknown-signals.ts';
import { type HealInput, healSignals, type Verifying, vmSignals } from './messages.ts';
import { memoOf, noteUnknownSignals, withWarning } from './on-record.ts';
import { providerActivities, readBackActivities, wasTaken, whyUnanswered } from './provider-call.ts';

const UNTIL_DONE = {
  startToCloseTimeout: '30 seconds',
  retry: { maximumInterval: '10 seconds' },
  priority: { priorityKey: 1 },
} satisfies ActivityOptions;

/** The summary is what people read in the Web UI's event list. */
function recorded(summary: string): ActivityInterfaceFor<HealActivities> {
  return proxyActivities<HealActivities>({ ...UNTIL_DONE, summary: asSummary(summary) });
}

interface Heal extends HealInput {
  /** Whether the VM is paused, by the last signal. */
  paused: boolean;
  /** Where its provider is reached, as far as is known. */
  providerSite: string;
  /** Something this heal waits for may have happened. */
  news: boolean;
  beganAtMs: number;
  remedy: CarriedOutRemedy | null;
  /** What it said last. */
  line: string;
  unknownSignals: UnknownSignal[];
}

type Act = HealDecision & { kind: 'act' };
type Verified = Awaited<ReturnType<HealActivities['verify']>>;

/** One heal: decide, act, see whether it helped, until the VM is well or nobody wants it healed any more. Answers how it ended. */
export async function healVm(input: HealInput): Promise<string> {
  const heal = initialState(input);
  listen(heal);
  if (input.verifying) await awaitVerification(heal, input.verifying);

  for (;;) {
    if (restsBySignal(heal)) await restUntilResumed(heal);
    heal.news = false;
    const decided = await askAndDecide(heal);
    show(heal, decided.line);
    switch (decided.kind) {
      case 'close':
      case 'stop':
        await signalVm(heal, vmSignals.healEnded, { incident: heal.incident });
        return endingOf(heal, decided);
      case 'hold':
        await condition(() => heal.news, Math.min(decided.lookAgainInMs, MAX_HOLD_MS), {
          summary: `holds: ${decided.reason}`,
        });
        break;
      case 'act': {
        // paused while it was decided: it is decided again after the pause, because `carryOut` refuses old decisions
        if (restsBySignal(heal)) break;
        await carryOutOnce(heal, decided);
        const { operationId, verifyMs } = decided;
        await awaitVerification(heal, { operationId, verifyMs, untilMs: await openWindow(heal, verifyMs) });
        break;
      }
    }
    if (workflowInfo().continueAsNewSuggested) await goOnAsNew(heal);
  }
}

function initialState(input: HealInput): Heal {
  return {
    ...input,
    paused: input.paused ?? false,
    providerSite: input.site,
    news: false,
    beganAtMs: input.beganAtMs ?? Date.now(),
    remedy: input.remedy ?? null,
    line: '',
    unknownSignals: [],
  };
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
  noteUnknownSignals(heal, () => show(heal, heal.line));
}

const KNOWN_SIGNALS = Object.values(healSignals).map(({ name }) => name);

/** Shows in the Web UI how the heal stands. */
function show(heal: Heal, line: string): void {
  heal.line = line;
  setCurrentDetails(withWarning(line, heal.unknownSignals, KNOWN_SIGNALS));
}

function endingOf(heal: Heal, decided: HealDecision & { kind: 'close' | 'stop' }): string {
  const ending = healEnding(decided, heal.remedy, heal.beganAtMs, Date.now());
  show(heal, ending);
  return ending;
}

/** Heals of 0.1 rested while signals said so; since then every decision reads it from the database. */
function restsBySignal({ paused }: Heal): boolean {
  return paused && !patched('pause-is-stored');
}

async function restUntilResumed(heal: Heal): Promise<void> {
  show(heal, 'paused: decides nothing until the VM is resumed');
  await condition(() => !heal.paused);
}

async function goOnAsNew(heal: Heal, verifying?: Verifying): Promise<never> {
  const { vmId, tenantId, site, incident, name, paused, beganAtMs, remedy } = heal;
  const named = name === undefined ? {} : { name };
  const input: HealInput = { ...named, vmId, tenantId, site, incident, paused, beganAtMs, remedy };
  // a memo doesn't outlive continue-as-new by itself
  const continueAsNew = makeContinueAsNewFunc<typeof healVm>(memoOf(name));
  return continueAsNew(verifying ? { ...input, verifying } : input);
}

type Decided = Exclude<HealDecision, { kind: 'ask' }>;

/** The provider is asked where it can be reached; the decision is made where all facts come together. */
async function askAndDecide(heal: Heal): Promise<Decided> {
  for (;;) {
    // heals of 0.1 had the provider asked by `decide`
    const provider = patched('provider-asked-at-its-site') ? await askProviderAt(heal) : undefined;
    const { decide } = recorded(
      heal.line === '' ? 'asks every guard what to do' : `asks every guard again, after: ${heal.line}`,
    );
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
async function carryOutOnce(heal: Heal, act: Act): Promise<void> {
  const { operationId, action, power, attempt = null, site = null } = act;
  const what = power ?? action;
  const { carryOut } = providerActivities(site, asSummary(`${remedyInWords({ what, attempt })}, sent at most once`));
  const end = await carryOut({ operationId }).catch((error) => endUnanswered(site, error));
  const resolved = end.state !== 'sent' && !end.unrecorded ? end : await resolveInDoubt(act, end);
  // nobody is healed by being notified of
  const counts = resolved.state === 'done' && power !== null;
  if (counts) heal.remedy = { what, attempt, carriedOutAtMs: Date.now(), judged: null };
}

async function resolveInDoubt({ operationId, site = null }: Act, end: OperationEnd): Promise<OperationEnd> {
  const { resolveOperation } = recorded(`in doubt, never sent again: ${end.detail}`);
  // heals of 0.1 read nothing back
  if (!patched('operation-is-read-back')) return resolveOperation({ operationId });
  if (end.unrecorded) return resolveOperation({ operationId, end });
  return resolveOperation({ operationId, readBack: await readBackAt(site, operationId) });
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
    const { verify } = recorded(`did it help? ${judgedInWords(heal)}`);
    const verified: Verified = await verify({ ...keyOf(heal), operationId, windowOver });
    if (verified.helped || windowOver) judge(heal, verified);
    show(heal, verified.line);
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

function judge(heal: Heal, { helped, paused }: Verified): void {
  if (heal.remedy === null || paused) return;
  heal.remedy = { ...heal.remedy, judged: { helped: helped ?? false, atMs: Date.now() } };
}

/** What is being judged, and how long ago it was carried out. */
function judgedInWords({ remedy, line }: Heal): string {
  if (remedy === null) return line;
  return `${durationInWords(Date.now() - remedy.carriedOutAtMs)} after ${remedyInWords(remedy)}`;
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
