import { vmSignals } from '../../../../workflows/messages.ts';
import { health } from '../../../support/scripted-activities.ts';
import {
  acts,
  breaks,
  breaksForGood,
  closes,
  done,
  gives,
  HOUR_MS,
  held,
  helped,
  holds,
  ill,
  OPENS,
  PROVIDER,
  quiet,
  waits,
  well,
} from './answers.ts';
import type { Story } from './story.ts';

const illAgain = () => health(2, 'unhealthy', true);

/** How a VM's workflow goes on as new runs, pauses, ends, and stands to its heal. */
export const STORIES_OF_VMS: readonly Story[] = [
  {
    name: 'a new run knows what the one before knew, also of signals that came while it looked',
    script: { watch: [well, quiet, held(quiet), quiet] },
    async play(told) {
      await told.startVm();
      await told.asked('watch', 2);
      await told.signalVm(vmSignals.renew);
      await told.asked('watch', 3);
      await told.signalVm(vmSignals.lookNow);
      await told.signalVm(vmSignals.renew);
      told.release();
      await told.asked('watch', 4);
    },
  },
  {
    name: 'a pause is stored until it is, and its end',
    script: { watch: [quiet], storePause: [breaks, breaksForGood, gives(undefined)] },
    async play(told) {
      await told.startVm();
      await told.asked('watch', 1);
      await told.signalVm(vmSignals.pause, { reason: 'rack move' });
      await told.asked('storePause', 3);
      await told.shows('vm', 'paused');
      await told.signalVm(vmSignals.renew);
      await told.asked('watch', 2);
      await told.signalVm(vmSignals.resume);
      await told.asked('watch', 3);
    },
  },
  {
    name: 'a VM whose workflow is cancelled is paused, and goes on as a new run that is not',
    script: {
      watch: [ill, held(quiet), () => ({ kind: 'paused', reason: 'cancelled' }), well, quiet],
      storePause: [breaks, gives(undefined)],
      ...OPENS,
      ...PROVIDER,
      decide: [holds],
    },
    async play(told) {
      await told.startVm();
      await told.asked('watch', 2);
      await told.asked('decide', 1);
      await told.cancel();
      await told.cancelsLook();
      told.release();
      await told.asked('storePause', 2);
      await told.asked('decide', 2);
      await told.asked('watch', 3);
      await told.signalVm(vmSignals.resume);
      await told.asked('watch', 5);
      await told.asked('decide', 3);
    },
  },
  {
    name: 'a message is what JSON makes of it',
    script: { watch: [quiet], storePause: [gives(undefined)] },
    async play(told) {
      await told.startVm();
      await told.asked('watch', 1);
      await told.signalVm(vmSignals.pause, { reason: new Date(0) as unknown as string });
      await told.asked('storePause', 1);
    },
  },
  {
    name: 'a signal that it does not know is shown, and leaves the workflow as it is',
    script: { watch: [quiet] },
    async play(told) {
      await told.startVm();
      await told.asked('watch', 1);
      await told.notes(told.signalVm('unheard of'));
      await told.shows('vm', 'unheard of');
      await told.signalVm(vmSignals.lookNow);
      await told.asked('watch', 2);
    },
  },
  {
    name: 'a VM that is deleted while it is looked at ends with that look',
    script: { watch: [held(ill)] },
    async play(told) {
      await told.startVm();
      await told.asked('watch', 1);
      await told.notes(told.startVm());
      await told.signalVm(vmSignals.retire);
      told.release();
      await told.ended('vm');
      await told.notes(told.signalVm(vmSignals.lookNow));
      await told.notes(told.terminate('vm'));
    },
  },
  {
    name: 'a workflow is started by a message where there is none',
    script: { watch: [quiet] },
    async play(told) {
      await told.notes(told.signalVm(vmSignals.lookNow));
      await told.signalOrStartVm(vmSignals.lookNow);
      await told.asked('watch', 1);
      await told.signalOrStartVm(vmSignals.settingsChanged, { version: 3, site: 'main', lookSooner: true });
      await told.asked('watch', 2);
    },
  },
  {
    name: 'a heal outlives the workflow of its VM',
    script: { watch: [ill, quiet], ...OPENS, ...PROVIDER, decide: [holds, closes] },
    async play(told) {
      await told.startVm();
      await told.asked('watch', 2);
      await told.asked('decide', 1);
      await told.terminate('vm');
      await told.signalHeal('health');
      await told.ended('heal');
    },
  },
  {
    name: 'a heal that runs already is told so',
    script: { watch: [ill, quiet, ill, quiet], ...OPENS, ...PROVIDER, decide: [holds] },
    async play(told) {
      await told.startVm();
      await told.asked('watch', 2);
      await told.asked('decide', 1);
      await told.terminate('vm');
      await told.startVm();
      await told.asked('decide', 2);
      await told.asked('watch', 4);
    },
  },
  {
    name: 'a heal says that it is over',
    script: { watch: [ill, quiet], ...OPENS, ...PROVIDER, decide: [held(closes)] },
    async play(told) {
      await told.startVm();
      await told.asked('watch', 2);
      await told.asked('decide', 1);
      told.release();
      await told.ended('heal');
      await told.asked('watch', 3);
    },
  },
  {
    name: 'a heal hears of health',
    script: { watch: [ill, held(illAgain), quiet], ...OPENS, ...PROVIDER, decide: [holds] },
    async play(told) {
      await told.startVm();
      await told.asked('watch', 2);
      await told.asked('decide', 1);
      told.release();
      await told.asked('decide', 2);
      await told.asked('watch', 3);
    },
  },
  {
    name: 'a heal that is gone without a word is followed by another',
    script: { watch: [ill, held(illAgain), quiet], ...OPENS, ...PROVIDER, decide: [holds] },
    async play(told) {
      await told.startVm();
      await told.asked('watch', 2);
      await told.asked('decide', 1);
      await told.terminate('heal');
      told.release();
      await told.asked('decide', 2);
      await told.asked('watch', 3);
    },
  },
  {
    name: 'an incident that could not be opened is opened by the next look',
    script: {
      watch: [ill, ill, quiet],
      openIncident: [breaksForGood, breaks, gives({ incident: 1 })],
      ...PROVIDER,
      decide: [holds],
    },
    async play(told) {
      await told.startVm();
      await told.asked('openIncident', 1);
      await told.signalVm(vmSignals.lookNow);
      await told.asked('decide', 1);
      await told.asked('watch', 3);
    },
  },
  {
    name: 'a VM is watched closely while a remedy is verified',
    script: {
      watch: [ill, quiet],
      ...OPENS,
      ...PROVIDER,
      decide: [acts(HOUR_MS), closes],
      carryOut: [held(done)],
      verify: [waits, helped],
    },
    async play(told) {
      await told.startVm();
      await told.asked('watch', 2);
      await told.asked('carryOut', 1);
      told.release();
      await told.asked('watch', 3);
      await told.asked('verify', 1);
      await told.signalHeal('health');
      await told.ended('heal');
      await told.asked('watch', 4);
    },
  },
];
