import type { HealDecision, OperationEnd } from '../../../../activities/contract.ts';
import type { ReadBack } from '../../../../domain/power.ts';
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
  holdsFor,
  PROVIDER,
  waits,
} from './answers.ts';
import type { Script, Story } from './story.ts';

const inDoubt = gives<OperationEnd>({ state: 'sent', detail: 'the connection was lost' });
const acted = gives<ReadBack>({ verdict: 'acted', detail: 'running' });

/** Plays a heal that goes on by itself until it is over. */
const byItself = (name: string, script: Script, more: Partial<Story> = {}): Story => ({
  name,
  script,
  ...more,
  async play(told) {
    await told.startHeal();
    await told.ended('heal');
  },
});

/** How a heal waits, asks again, and ends. */
export const STORIES_OF_HEALS: readonly Story[] = [
  byItself('a heal that holds decides again after a time', { ...PROVIDER, decide: [holdsFor(200), closes] }),
  {
    name: 'a heal that holds decides again when it is told so, and once only',
    script: { ...PROVIDER, decide: [holdsFor(4_000), holds, closes] },
    async play(told) {
      await told.startHeal();
      await told.asked('decide', 1);
      await told.signalHeal('health');
      await told.asked('decide', 2);
      await told.passes(5_000);
      await told.signalHeal('health');
      await told.ended('heal');
    },
  },
  {
    name: 'what a heal is told while it decides makes it decide again',
    script: { ...PROVIDER, decide: [held(holds), closes] },
    async play(told) {
      await told.startHeal();
      await told.asked('decide', 1);
      await told.signalHeal('health');
      await told.signalHeal('attempts-reset');
      told.release();
      await told.ended('heal');
    },
  },
  byItself('a decision that fails is asked for again', { ...PROVIDER, decide: [breaks, breaks, closes] }),
  byItself('a decision that is of no use fails its heal', { ...PROVIDER, decide: [breaksForGood] }),
  byItself('a provider that fails is not asked again, and the decision hears why', {
    askProvider: [breaks],
    decide: [closes],
  }),
  byItself('a question that no worker takes is given up', { ...PROVIDER, decide: [closes] }, { site: 'nowhere' }),
  byItself('a provider of another site is asked there', {
    ...PROVIDER,
    decide: [gives<HealDecision>({ kind: 'ask', site: 'main', line: 'asks' }), closes],
  }),
  byItself('an action that fails is read back until there is an answer', {
    ...PROVIDER,
    decide: [acts(4_000), closes],
    carryOut: [breaks],
    readBack: [breaks, acted],
    resolveOperation: [breaks, done],
    verify: [breaks, waits],
  }),
  {
    name: 'an action whose answer never comes is read back, and not sent again',
    script: {
      ...PROVIDER,
      decide: [acts(0), closes],
      carryOut: [held(done)],
      readBack: [held(acted)],
      resolveOperation: [done],
      verify: [waits],
    },
    async play(told) {
      await told.startHeal();
      await told.asked('readBack', 1);
      told.release();
      await told.ended('heal');
    },
  },
  byItself('what can not be read back is left in doubt', {
    ...PROVIDER,
    decide: [acts(0), closes],
    carryOut: [inDoubt],
    readBack: [breaksForGood],
    resolveOperation: [inDoubt],
    verify: [waits],
  }),
  {
    name: 'a remedy that helped ends its window',
    script: { ...PROVIDER, decide: [acts(HOUR_MS), closes], carryOut: [done], verify: [waits, held(helped)] },
    async play(told) {
      await told.startHeal();
      await told.asked('verify', 1);
      await told.signalHeal('health');
      await told.asked('verify', 2);
      told.release();
      await told.ended('heal');
    },
  },
];
