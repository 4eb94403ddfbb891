import { ActivityFailure, ApplicationFailure } from '@temporalio/common';
import {
  allHandlersFinished,
  CancellationScope,
  condition,
  continueAsNew,
  log,
  patched,
  proxyActivities,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';
import type { LookInput, LookNews, PauseActivities } from '../activities/contract.ts';
import { lookSummary } from '../domain/summaries.ts';
import { openIncident, signalHeal, startHeal } from './heal-of-vm.ts';
import {
  type CarriedVm,
  closeUp,
  type DescribedSignal,
  type DescribedVm,
  type HealNews,
  type LookedNow,
  type PauseRequest,
  type VmHealthInput,
  type VmView,
  vmQueries,
  vmSignals,
  vmUpdates,
} from './messages.ts';
import {
  nameOf,
  noteUnknownSignals,
  type ShownVm,
  showDetails,
  showName,
  showOnRecord,
  showPause,
} from './on-record.ts';
import { type LookEnding, watchUntil } from './watch-activity.ts';

/**
 * The life of one VM: look at it until there is news, act on the news, look again. Quiet looks are retries of one activity and
 * write no history, so this history holds only changes of the VM's health and what followed from them. State, handlers, the loop and
 * what follows from news are one file on purpose, however long: it reads from top to bottom.
 */
export async function vmHealth(input: VmHealthInput): Promise<string> {
  const vm = initialState(input);
  listen(vm);
  // a cancellation is a message as well: what is under way ends in order, and the workflow goes on as a new run
  return CancellationScope.nonCancellable(() => live(vm));
}

async function live(vm: Vm): Promise<string> {
  // a memo doesn't outlive continue-as-new by itself
  if (vm.carried.described) show(vm, vm.carried.described);
  else showName(vm);

  while (!vm.flags.retired) {
    show(vm);
    showPause(vm);
    await storePause(vm);
    if (mayLook(vm)) {
      await applyNews(vm, await nextNews(vm));
      showPause(vm);
      await forwardToHeal(vm);
    } else {
      // or it waits for the end of the pause, and the workflow can't continue as new
      if (vm.carried.lookNow && patched('pause-is-stored')) answerPaused(vm);
      await condition(() => mayLook(vm) || vm.flags.storePause || vm.flags.retired || mustContinueAsNew(vm));
      // runs of 0.1 notified the heal before they looked
      if (vm.flags.pauseChanged && !patched('pause-is-stored')) await forwardToHeal(vm);
    }
    // a new run would not know that it was retired
    if (!vm.flags.retired && mustContinueAsNew(vm)) return continueAsNew<typeof vmHealth>(inputOf(vm));
  }
  await notifyHeal(vm, 'retired');
  await condition(allHandlersFinished);
  return 'not watched any more: the VM was deleted';
}

/** What the workflow holds of its VM: its input, what a next run needs of it, and what only this run knows. */
interface Vm extends VmHealthInput, ShownVm {
  carried: CarriedVm;
  flags: Flags;
  lookLimitMs: number;
  /** How many looks asked for by `lookNow` or `look` have answered; update handlers wait for it to grow. */
  looksAnswered: number;
  /** When a look found no such VM. */
  missingSinceMs: number | null;
  /** The look under way finds out whether the pause is over. */
  asksForPause: boolean;
}

/** What messages asked for. Handlers only set them; the main loop acts and clears. */
interface Flags {
  /** The pending look asks for the wrong thing: end it and ask again. */
  restartLook: boolean;
  attemptsReset: boolean;
  pauseChanged: boolean;
  /** The pause may be over: a look finds out. */
  pauseInDoubt: boolean;
  /** A pause that was signalled, or its end, is to be stored. */
  storePause: boolean;
  renew: boolean;
  retired: boolean;
}

/** Longest check timeout by default (10 s), the writer's limit (2 s) and a margin. */
const FIRST_LOOK_LIMIT_MS = 20_000;

function initialState(input: VmHealthInput): Vm {
  const carried = carriedFrom(input.carried);
  return {
    ...input,
    carried,
    flags: {
      restartLook: false,
      attemptsReset: false,
      pauseChanged: false,
      // a change of settings that arrived as the run before ended may have ended the pause
      pauseInDoubt: carried.paused !== null && carried.pauseToStore === null,
      storePause: carried.pauseToStore !== null,
      renew: false,
      retired: false,
    },
    lookLimitMs: FIRST_LOOK_LIMIT_MS,
    looksAnswered: 0,
    missingSinceMs: null,
    asksForPause: false,
    statusOnRecord: 'unknown',
    unknownSignals: [],
  };
}

/** A run of 0.1 named two of its fields differently, and did not store its pause. */
function carriedFrom(before: Partial<CarriedVm & { toldSeq: number; closeUpUntilMs: number | null }> = {}): CarriedVm {
  const { toldSeq: deliveredSeq = 0, closeUpUntilMs: watchCloselyUntilMs = null, ...carried } = before;
  return {
    deliveredSeq,
    status: 'unknown',
    statusSinceMs: null,
    line: 'not looked at yet',
    incident: null,
    paused: null,
    pauseToStore: carried.paused == null ? null : 'paused',
    settingsVersion: 0,
    watchCloselyUntilMs,
    lookNow: false,
    described: null,
    ...carried,
  };
}

function inputOf({ vmId, tenantId, site, name, carried }: Vm): VmHealthInput {
  const named = name === undefined ? {} : { name };
  return { ...named, vmId, tenantId, site, carried };
}

/** Handlers only record what came in; the main loop acts. Several requests while a look is being ended are one. */
function listen(vm: Vm): void {
  const { carried, flags } = vm;
  on(vmSignals.settingsChanged, ({ version, site, lookSooner }) => {
    flags.pauseInDoubt = true;
    flags.storePause = hasPauseToStore(vm);
    // also for settings older than the known ones: the pending look may not know their shorter interval
    if (lookSooner) flags.restartLook = true;
    if (version < carried.settingsVersion) return;
    carried.settingsVersion = version;
    if (site !== vm.site) flags.restartLook = true;
    vm.site = site;
  });
  on(vmSignals.lookNow, () => requestLook(vm));
  on(vmSignals.pause, (request?: PauseRequest) => {
    carried.paused = String(request?.reason ?? 'no reason given');
    carried.pauseToStore = 'paused';
    flags.pauseChanged = flags.storePause = flags.restartLook = true;
  });
  on(vmSignals.resume, () => {
    if (carried.paused !== null) flags.pauseChanged = true;
    carried.paused = null;
    carried.pauseToStore = 'resumed';
    flags.storePause = true;
    // the heal is notified after a look
    requestLook(vm);
  });
  on(vmSignals.retire, () => {
    flags.retired = true;
  });
  on(vmSignals.attemptsReset, () => {
    flags.attemptsReset = flags.restartLook = true;
  });
  on(vmSignals.renew, () => {
    flags.renew = true;
  });
  for (const signal of [vmSignals.watchClosely, closeUp]) {
    on(signal, ({ incident, untilMs }) => {
      if (incident !== carried.incident || carried.watchCloselyUntilMs === untilMs) return;
      carried.watchCloselyUntilMs = untilMs;
      flags.restartLook = true;
    });
  }
  on(vmSignals.healEnded, ({ incident }) => {
    if (incident !== carried.incident) return;
    carried.incident = carried.watchCloselyUntilMs = null;
    flags.restartLook = true;
  });
  CancellationScope.current().cancelRequested.catch(() => pauseForCancellation(vm));
  setHandler(vmQueries.state, () => viewOf(vm), vmQueries.state);
  setHandler(vmUpdates.look, () => CancellationScope.nonCancellable(() => lookAndAnswer(vm)), {
    description: vmUpdates.look.description,
    validator() {
      if (carried.paused === null) return;
      throw ApplicationFailure.nonRetryable(`paused (${carried.paused}): resume it first`, 'Paused');
    },
  });
  noteUnknownSignals(vm, () => show(vm));
}

/** Why a VM is paused whose workflow a person cancelled. */
const CANCELLED = 'cancelled in Temporal';

/**
 * Whoever cancels the workflow wants the VM left alone: it is paused, which everybody sees and can end. The workflow goes on as a
 * new run, because a cancelled one can't be cancelled again. A pause that may be over is no reason to leave it at that.
 */
function pauseForCancellation({ carried, flags, asksForPause }: Vm): void {
  flags.renew = flags.restartLook = true;
  if (carried.paused !== null && !flags.pauseInDoubt && !asksForPause) return;
  carried.paused = CANCELLED;
  carried.pauseToStore = 'paused';
  flags.pauseChanged = flags.storePause = true;
}

const KNOWN_SIGNALS = Object.values(vmSignals).map(({ name }) => name);

/** Shows how the VM stands; with a description, also in lists and searches. */
function show(vm: Vm, described: DescribedVm | null = null): void {
  showDetails(vm, KNOWN_SIGNALS);
  if (described !== null) showOnRecord(vm, described);
}

function on<Args extends unknown[]>(signal: DescribedSignal<Args>, handler: (...args: Args) => void): void {
  setHandler(signal, handler, { description: signal.description });
}

function requestLook({ carried, flags }: Vm): void {
  if (carried.lookNow) return;
  carried.lookNow = flags.restartLook = true;
}

async function lookAndAnswer(vm: Vm): Promise<LookedNow> {
  const before = vm.looksAnswered;
  requestLook(vm);
  await condition(() => vm.looksAnswered > before || vm.flags.retired);
  return { status: vm.carried.status, line: vm.carried.line };
}

function viewOf({ vmId, site, carried }: Vm): VmView {
  const { status, line, incident, paused, settingsVersion } = carried;
  return { vmId, site, status, line, incident, paused, settingsVersion };
}

/** A paused VM is looked at only to find out whether the pause is over, and not before the pause is stored. */
function mayLook({ carried, flags }: Vm): boolean {
  return carried.paused === null || (flags.pauseInDoubt && carried.pauseToStore === null);
}

/**
 * Stores a pause, or its end, that was signalled here rather than asked of the API: decisions and looks read it from the
 * database.
 */
async function storePause(vm: Vm): Promise<void> {
  const { vmId, tenantId, carried, flags } = vm;
  const isDue = flags.storePause;
  flags.storePause = false;
  if (!isDue || !hasPauseToStore(vm) || !patched('pause-is-stored')) return;
  const { paused, pauseToStore } = carried;
  const pauses = proxyActivities<PauseActivities>({
    startToCloseTimeout: '10 seconds',
    scheduleToCloseTimeout: '30 seconds',
    summary: paused === null ? 'stores the end of the pause' : 'stores the pause',
  });
  try {
    await pauses.storePause({ vmId, tenantId, reason: paused });
    if (carried.paused === paused && carried.pauseToStore === pauseToStore) carried.pauseToStore = null;
  } catch (error) {
    if (!(error instanceof ActivityFailure)) throw error;
    log.warn('a pause could not be stored, and is tried again', { error: String(error.cause) });
    await condition(() => flags.retired, '10 seconds');
    flags.storePause = true;
  }
}

function hasPauseToStore({ carried }: Vm): boolean {
  return carried.pauseToStore !== null;
}

/** Looks until there is news, or until the look that is pending asks for the wrong thing. */
async function nextNews(vm: Vm): Promise<LookEnding> {
  vm.flags.restartLook = vm.flags.pauseInDoubt = false;
  const { vmId, site, tenantId, carried, lookLimitMs } = vm;
  const input: LookInput = {
    vmId,
    deliveredSeq: carried.deliveredSeq,
    settingsVersion: carried.settingsVersion,
    healOpen: carried.incident !== null,
    watchCloselyUntilMs: carried.watchCloselyUntilMs,
    now: carried.lookNow,
    paused: carried.paused !== null,
    name: nameOf(vm),
  };
  const { status, line, statusSinceMs: sinceMs, watchCloselyUntilMs } = carried;
  const summary = lookSummary({ status, line, sinceMs, watchedClosely: watchCloselyUntilMs !== null }, Date.now());
  const options = { site, tenantId, lookLimitMs, ill: status !== 'healthy', summary };
  vm.asksForPause = carried.paused !== null;
  const news = await watchUntil(
    () => vm.flags.restartLook || vm.flags.retired || mustContinueAsNew(vm),
    input,
    options,
  );
  vm.asksForPause = false;
  return news;
}

async function applyNews(vm: Vm, news: LookEnding): Promise<void> {
  switch (news.kind) {
    case 'health':
      return applyHealth(vm, news);
    case 'paused':
      return applyPause(vm, news.reason);
    case 'settings-lost':
      vm.carried.settingsVersion = news.version;
      return;
    case 'needs-time':
      vm.lookLimitMs = news.lookLimitMs;
      return;
    case 'gone':
      return handleMissingVm(vm, news.deleted);
    case 'cancelled':
      return;
    case 'failed':
      // never expected; whatever it was, go on watching, but not in a tight loop
      vm.carried.line = `look failed: ${news.message}`;
      show(vm);
      await condition(() => vm.flags.restartLook || vm.flags.retired, '10 seconds');
  }
}

/**
 * An ill VM gets an incident and its heal; from then on the heal is notified of each change of health, until it says it is
 * over.
 */
async function applyHealth(vm: Vm, news: LookNews & { kind: 'health' }): Promise<void> {
  const { carried, flags } = vm;
  const changed = news.seq !== carried.deliveredSeq;
  // one that begins with a later transition did not see when it came
  const sawItChange = carried.deliveredSeq > 0 || news.seq <= 1;
  if (carried.status !== news.status) carried.statusSinceMs = sawItChange ? Date.now() : null;
  carried.deliveredSeq = news.seq;
  carried.status = news.status;
  carried.line = news.line;
  carried.described = news.vm;
  // a look that is being cancelled by a pause signal says nothing about that pause
  if (carried.paused !== null && !hasPauseToStore(vm)) {
    carried.paused = null;
    flags.pauseChanged = true;
  }
  answerRequest(vm);
  show(vm, news.vm);
  if (carried.incident !== null && changed) await notifyHeal(vm, 'health');
  // a look that was being cancelled by a pause opens nothing: after the pause the next look says it again
  const mayHeal = !flags.retired && carried.paused === null;
  if (carried.incident === null && news.healWanted && mayHeal) await openHeal(vm);
}

/** The database says that the VM is paused: looks end until that may be over, and the heal is notified. */
function applyPause(vm: Vm, reason: string): void {
  const { carried, flags } = vm;
  // a resume that was signalled meanwhile is newer
  if (hasPauseToStore(vm)) return;
  if (carried.paused === null) flags.pauseChanged = true;
  carried.paused = reason;
  answerPaused(vm);
}

function answerPaused(vm: Vm): void {
  vm.carried.line = 'paused';
  answerRequest(vm);
}

/** Answers whoever asked for a look. */
function answerRequest(vm: Vm): void {
  if (!vm.carried.lookNow) return;
  vm.carried.lookNow = false;
  vm.looksAnswered++;
}

/** Opens an incident and starts its heal, or finds the ones that are open already. */
async function openHeal(vm: Vm): Promise<void> {
  const { vmId, tenantId, site, carried } = vm;
  carried.incident = await openIncident(vmId, carried.line);
  if (carried.incident === null) {
    // the next look says again that a heal is wanted
    await condition(() => vm.flags.restartLook || vm.flags.retired, '10 seconds');
    return;
  }
  const name = nameOf(vm);
  const named = name === null ? {} : { name };
  const started = await startHeal({ vmId, tenantId, site, incident: carried.incident, ...named });
  // it may have been paused by an earlier run of this workflow, or wait for news that nobody could send
  if (!started) await notifyHeal(vm, 'resumed');
}

/** Notifies the heal, if one is open. If it is over, the signal fails: then no incident is open. */
async function notifyHeal({ vmId, carried }: Vm, what: HealNews['what']): Promise<void> {
  if (carried.incident === null) return;
  if (!(await signalHeal(vmId, carried.incident, what))) carried.incident = null;
}

/** Forwards what concerns the heal, including what arrives meanwhile. */
async function forwardToHeal(vm: Vm): Promise<void> {
  const { carried, flags } = vm;
  while (flags.attemptsReset || flags.pauseChanged) {
    // the heal reads it from the database
    await storePause(vm);
    const { attemptsReset, pauseChanged } = flags;
    flags.attemptsReset = flags.pauseChanged = false;
    if (attemptsReset) await notifyHeal(vm, 'attempts-reset');
    if (pauseChanged) await notifyHeal(vm, carried.paused === null ? 'resumed' : 'paused');
  }
}

/** The two minutes until the look is repeated, and time for that look. */
const MISSING_FOR_GOOD_MS = 150_000;

/** "No such VM" ends a workflow only when it stays so: a registration may be committed a moment later. */
async function handleMissingVm(vm: Vm, deleted: boolean): Promise<void> {
  const missingForMs = vm.missingSinceMs === null ? Number.POSITIVE_INFINITY : Date.now() - vm.missingSinceMs;
  if (deleted || missingForMs < MISSING_FOR_GOOD_MS) {
    vm.flags.retired = true;
    return;
  }
  vm.missingSinceMs = Date.now();
  vm.carried.line = 'no such VM in the database';
  await condition(() => vm.flags.retired, '2 minutes');
}

/** Between looks only, and when all updates are answered: nothing is pending that a new run would not know of. */
function mustContinueAsNew({ flags }: Vm): boolean {
  return (flags.renew || workflowInfo().continueAsNewSuggested) && allHandlersFinished();
}
