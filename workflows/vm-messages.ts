import { ApplicationFailure } from '@temporalio/common';
import {
  condition,
  defineQuery,
  defineSignal,
  defineUpdate,
  type SignalDefinition,
  setHandler,
} from '@temporalio/workflow';
import {
  type HealEnded,
  type LookedNow,
  type PauseRequest,
  type SettingsChanged,
  VM_QUERY,
  VM_SIGNAL,
  VM_UPDATE,
  type VmView,
  type WatchClosely,
} from './messages.ts';
import { lookedNow, type VmState, viewOf } from './vm-state.ts';

const settingsChanged = defineSignal<[SettingsChanged]>(VM_SIGNAL.settingsChanged);
const lookNow = defineSignal(VM_SIGNAL.lookNow);
const pause = defineSignal<[PauseRequest?]>(VM_SIGNAL.pause);
const resume = defineSignal(VM_SIGNAL.resume);
const retire = defineSignal(VM_SIGNAL.retire);
const attemptsReset = defineSignal(VM_SIGNAL.attemptsReset);
const renew = defineSignal(VM_SIGNAL.renew);
const watchClosely = defineSignal<[WatchClosely]>(VM_SIGNAL.watchClosely);
/** The name of `watchClosely` before 0.2; recorded histories hold it. */
const closeUp = defineSignal<[WatchClosely]>('closeUp');
const healEnded = defineSignal<[HealEnded]>(VM_SIGNAL.healEnded);
const state = defineQuery<VmView>(VM_QUERY.state);
const look = defineUpdate<LookedNow>(VM_UPDATE.look);

/** What came in and the main loop has yet to pass on to the heal. */
export interface Inbox {
  attemptsReset: boolean;
  pauseChanged: boolean;
}

/** Each handler only records; the main loop acts. Several requests while a look is being ended are one. */
export function listenForNews(vm: VmState): Inbox {
  const inbox: Inbox = { attemptsReset: false, pauseChanged: false };

  on(settingsChanged, 'settings were committed at this version', ({ version, site, lookSooner }) => {
    if (version < vm.settingsVersion) return;
    vm.settingsVersion = version;
    if (lookSooner || site !== vm.site) vm.cutShort = true;
    vm.site = site;
  });
  on(lookNow, 'look at every check at once', () => requestLook(vm));
  on(pause, 'look no more until resumed, and let the heal rest', (request?: PauseRequest) => {
    vm.paused = request?.reason ?? 'no reason given';
    inbox.pauseChanged = true;
    vm.cutShort = true;
  });
  on(resume, 'end a pause', () => {
    if (vm.paused !== null) inbox.pauseChanged = true;
    vm.paused = null;
  });
  on(retire, 'the VM was deleted: end', () => {
    vm.retired = true;
  });
  on(attemptsReset, 'a person has set the attempts to 0', () => {
    inbox.attemptsReset = true;
    vm.cutShort = true;
  });
  on(renew, 'continue as new after this look', () => {
    vm.renew = true;
  });
  for (const signal of [watchClosely, closeUp]) {
    on(signal, 'from the heal: look every few seconds until then', ({ incident, untilMs }) => {
      if (incident !== vm.incident || vm.watchCloselyUntilMs === untilMs) return;
      vm.watchCloselyUntilMs = untilMs;
      vm.cutShort = true;
    });
  }
  on(healEnded, 'from the heal: it is over', ({ incident }) => {
    if (incident !== vm.incident) return;
    vm.incident = null;
    vm.watchCloselyUntilMs = null;
    vm.cutShort = true;
  });
  setHandler(state, () => viewOf(vm), { description: 'how the VM stands, as its workflow knows it' });
  setHandler(
    look,
    async () => {
      const before = vm.looksAnswered;
      requestLook(vm);
      await condition(() => vm.looksAnswered > before || vm.retired);
      return lookedNow(vm);
    },
    {
      description: 'look at every check at once, and answer what was seen',
      validator() {
        if (vm.paused !== null)
          throw ApplicationFailure.nonRetryable(`paused (${vm.paused}): resume it first`, 'Paused');
      },
    },
  );
  return inbox;
}

/** The description is what `temporal workflow metadata` and the Web UI say of the signal. */
function on<Args extends unknown[]>(
  signal: SignalDefinition<Args>,
  description: string,
  handler: (...args: Args) => void,
): void {
  setHandler(signal, handler, { description });
}

function requestLook(vm: VmState): void {
  if (vm.lookNow) return;
  vm.lookNow = true;
  vm.cutShort = true;
}
