import { allHandlersFinished, condition, continueAsNew, workflowInfo } from '@temporalio/workflow';
import type { LookNews } from '../activities/contract.ts';
import { openHeal, tellHeal } from './heal-of-vm.ts';
import type { VmHealthInput } from './messages.ts';
import { type LookEnding, startLook } from './pending-look.ts';
import { type Inbox, listenForNews } from './vm-messages.ts';
import { showDetails, showOnRecord } from './vm-record.ts';
import { carriedFrom, initialState, type VmState } from './vm-state.ts';

/**
 * The life of one VM: look at it until there is news, act on the news, look again. Quiet looks are retries of one
 * activity and write no history, so this history reads as the VM's medical record.
 */
export async function vmHealth(input: VmHealthInput): Promise<void> {
  const vm = initialState(input);
  const inbox = listenForNews(vm);
  // a memo doesn't outlive continue-as-new by itself
  if (vm.described) showOnRecord(vm, vm.described);

  while (!vm.retired) {
    showDetails(vm);
    const ending = vm.paused === null ? await lookUntilNews(vm) : await restUntilResumed(vm);
    await apply(vm, ending);
    await passOn(vm, inbox);
    if (mustContinueAsNew(vm)) return continueAsNew<typeof vmHealth>(carriedFrom(vm));
  }
  await tellHeal(vm, 'retired');
  await condition(allHandlersFinished);
}

/** Tells the heal what came in; also what comes in while it is being told. */
async function passOn(vm: VmState, inbox: Inbox): Promise<void> {
  while (inbox.attemptsReset || inbox.pauseChanged) {
    const { attemptsReset, pauseChanged } = inbox;
    inbox.attemptsReset = inbox.pauseChanged = false;
    if (attemptsReset) await tellHeal(vm, 'attempts-reset');
    if (pauseChanged) await tellHeal(vm, vm.paused === null ? 'resumed' : 'paused');
  }
}

/** Waits for the look's news; a look that asks for the wrong thing is ended, and its last word heard. */
async function lookUntilNews(vm: VmState): Promise<LookEnding> {
  vm.cutShort = false;
  const look = startLook(vm);
  await condition(() => look.ending !== undefined || vm.cutShort || vm.retired || mustContinueAsNew(vm));
  return look.ending ?? look.cutShort();
}

async function restUntilResumed(vm: VmState): Promise<LookEnding> {
  await condition(() => vm.paused === null || vm.retired || mustContinueAsNew(vm));
  return { kind: 'cut' };
}

async function apply(vm: VmState, ending: LookEnding): Promise<void> {
  switch (ending.kind) {
    case 'news':
      return hear(vm, ending.news);
    case 'failed':
      // never expected; whatever it was, go on watching, but not in a tight loop
      vm.line = `look failed: ${ending.message}`;
      showDetails(vm);
      await condition(() => vm.cutShort || vm.retired, '10 seconds');
      return;
    case 'cut':
      return;
  }
}

async function hear(vm: VmState, news: LookNews): Promise<void> {
  switch (news.kind) {
    case 'needs-time':
      vm.lookLimitMs = news.lookLimitMs;
      return;
    case 'gone':
      return farewell(vm, news.deleted);
    case 'health': {
      const changed = news.seq !== vm.deliveredSeq;
      vm.deliveredSeq = news.seq;
      vm.status = news.status;
      vm.line = news.line;
      if (vm.lookNow) {
        vm.lookNow = false;
        vm.looksAnswered++;
      }
      vm.described = news.vm;
      showOnRecord(vm, news.vm);
      if (vm.incident !== null && changed) await tellHeal(vm, 'health');
      // the last word of a look that a pause cut short opens nothing: resumed, the next look says it again
      if (vm.incident === null && news.healWanted && !vm.retired && vm.paused === null) await openHeal(vm);
      return;
    }
  }
}

/** "No such VM" ends a workflow only when it stays so: a registration may be committed a moment later. */
async function farewell(vm: VmState, deleted: boolean): Promise<void> {
  const missingForMs = vm.missingSinceMs === null ? Number.POSITIVE_INFINITY : Date.now() - vm.missingSinceMs;
  if (deleted || missingForMs < BELIEVED_MS) {
    vm.retired = true;
    return;
  }
  vm.missingSinceMs = Date.now();
  vm.line = 'no such VM in the database';
  await condition(() => vm.retired, '2 minutes');
}

/** Two minutes, and a while for the look that follows. */
const BELIEVED_MS = 150_000;

/** Between looks only, and with no update half answered: nothing is pending that a new run would not know of. */
function mustContinueAsNew(vm: VmState): boolean {
  return (vm.renew || workflowInfo().continueAsNewSuggested) && allHandlersFinished();
}
