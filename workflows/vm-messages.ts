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

  setHandler(settingsChanged, ({ version, site, lookSooner }) => {
    if (version < vm.settingsVersion) return;
    vm.settingsVersion = version;
    if (lookSooner || site !== vm.site) vm.cutShort = true;
    vm.site = site;
  });
  setHandler(lookNow, () => requestLook(vm));
  setHandler(pause, (request) => {
    vm.paused = request?.reason ?? 'no reason given';
    inbox.pauseChanged = true;
    vm.cutShort = true;
  });
  setHandler(resume, () => {
    if (vm.paused !== null) inbox.pauseChanged = true;
    vm.paused = null;
  });
  setHandler(retire, () => {
    vm.retired = true;
  });
  setHandler(attemptsReset, () => {
    inbox.attemptsReset = true;
    vm.cutShort = true;
  });
  setHandler(renew, () => {
    vm.renew = true;
  });
  setHandler(closeUp, ({ incident, untilMs }) => {
    if (incident !== vm.incident || vm.closeUpUntilMs === untilMs) return;
    vm.closeUpUntilMs = untilMs;
    vm.cutShort = true;
  });
  setHandler(healEnded, ({ incident }) => {
    if (incident !== vm.incident) return;
    vm.incident = null;
    vm.closeUpUntilMs = null;
    vm.cutShort = true;
  });
  setHandler(state, () => viewOf(vm));
  setHandler(
    look,
    async () => {
      const before = vm.looksAnswered;
      requestLook(vm);
      await condition(() => vm.looksAnswered > before || vm.retired);
      return lookedNow(vm);
    },
    {
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
