import { ApplicationFailure } from '@temporalio/common';
import { condition, defineQuery, defineSignal, defineUpdate, setHandler } from '@temporalio/workflow';
import {
  type CloseUp,
  type HealEnded,
  type LookedNow,
  type PauseRequest,
  type SettingsChanged,
  VM_QUERY,
  VM_SIGNAL,
  VM_UPDATE,
  type VmView,
} from './messages.ts';
import { lookedNow, type VmState, viewOf } from './vm-state.ts';

const settingsChanged = defineSignal<[SettingsChanged]>(VM_SIGNAL.settingsChanged);
const lookNow = defineSignal(VM_SIGNAL.lookNow);
const pause = defineSignal<[PauseRequest?]>(VM_SIGNAL.pause);
const resume = defineSignal(VM_SIGNAL.resume);
const retire = defineSignal(VM_SIGNAL.retire);
const attemptsReset = defineSignal(VM_SIGNAL.attemptsReset);
const renew = defineSignal(VM_SIGNAL.renew);
const closeUp = defineSignal<[CloseUp]>(VM_SIGNAL.closeUp);
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

  setHandler(
    settingsChanged,
    ({ version, site, lookSooner }) => {
      if (version < vm.settingsVersion) return;
      vm.settingsVersion = version;
      if (lookSooner || site !== vm.site) vm.cutShort = true;
      vm.site = site;
    },
    { description: 'settings were committed at this version' },
  );
  setHandler(lookNow, () => requestLook(vm), { description: 'look at every check at once' });
  setHandler(
    pause,
    (request) => {
      vm.paused = request?.reason ?? 'no reason given';
      inbox.pauseChanged = true;
      vm.cutShort = true;
    },
    { description: 'look no more until resumed, and let the heal rest' },
  );
  setHandler(
    resume,
    () => {
      if (vm.paused !== null) inbox.pauseChanged = true;
      vm.paused = null;
    },
    { description: 'end a pause' },
  );
  setHandler(
    retire,
    () => {
      vm.retired = true;
    },
    { description: 'the VM was deleted: end' },
  );
  setHandler(
    attemptsReset,
    () => {
      inbox.attemptsReset = true;
      vm.cutShort = true;
    },
    { description: 'a person has set the attempts to 0' },
  );
  setHandler(
    renew,
    () => {
      vm.renew = true;
    },
    { description: 'continue as new after this look' },
  );
  setHandler(
    closeUp,
    ({ incident, untilMs }) => {
      if (incident !== vm.incident || vm.closeUpUntilMs === untilMs) return;
      vm.closeUpUntilMs = untilMs;
      vm.cutShort = true;
    },
    { description: 'from the heal: look every few seconds until then' },
  );
  setHandler(
    healEnded,
    ({ incident }) => {
      if (incident !== vm.incident) return;
      vm.incident = null;
      vm.closeUpUntilMs = null;
      vm.cutShort = true;
    },
    { description: 'from the heal: it is over' },
  );
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

function requestLook(vm: VmState): void {
  if (vm.lookNow) return;
  vm.lookNow = true;
  vm.cutShort = true;
}
