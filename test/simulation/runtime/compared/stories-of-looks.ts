import { vmSignals } from '../../../../workflows/messages.ts';
import { steady } from '../../../support/scripted-activities.ts';
import { breaks, breaksForGood, gives, held, quiet, soon, well } from './answers.ts';
import type { Attempt, Story } from './story.ts';

const beats = (details: unknown) => (attempt: Attempt) => {
  attempt.heartbeat(details);
  return soon();
};
/** So long may later looks take. */
const shortLooks = gives({ kind: 'needs-time' as const, lookLimitMs: 4_000 });

/** How the one activity whose attempts are the looks goes on, ends, and is ended. */
export const STORIES_OF_LOOKS: readonly Story[] = [
  {
    name: 'looks are repeated after their own delay, and after a second where they failed',
    script: { watch: [soon, breaks, soon, well, quiet] },
    async play(told) {
      await told.startVm();
      await told.asked('watch', 5);
    },
  },
  {
    name: 'a look that is of no use is not repeated by itself',
    script: { watch: [breaksForGood, quiet] },
    async play(told) {
      await told.startVm();
      await told.shows('vm', 'look failed');
      await told.signalVm(vmSignals.lookNow);
      await told.asked('watch', 2);
    },
  },
  {
    name: 'a look that is repeated later is cancelled at once',
    script: { watch: [quiet, well, quiet] },
    async play(told) {
      await told.startVm();
      await told.asked('watch', 1);
      await told.signalVm(vmSignals.lookNow);
      await told.asked('watch', 3);
    },
  },
  {
    name: 'what a look keeps is handed to the next attempt, and not to another look',
    script: { watch: [beats(['kept']), soon, beats([]), quiet, quiet] },
    async play(told) {
      await told.startVm();
      await told.asked('watch', 4);
      await told.signalVm(vmSignals.lookNow);
      await told.asked('watch', 5);
    },
  },
  ...(
    [
      ['without news', quiet],
      ['with news', well],
      ['by failing', breaks],
      ['by failing for good', breaksForGood],
    ] as const
  ).map(
    ([how, then]): Story => ({
      name: `a look that runs is waited for when it is cancelled, and ends ${how}`,
      script: { watch: [held(then), quiet] },
      async play(told) {
        await told.startVm();
        await told.asked('watch', 1);
        await told.signalVm(vmSignals.lookNow);
        await told.cancelsLook();
        told.release();
        await told.asked('watch', 2);
      },
    }),
  ),
  {
    name: 'a look that runs is waited for when it is cancelled, and ends by its timeout',
    script: { watch: [shortLooks, held(well), quiet] },
    async play(told) {
      await told.startVm();
      await told.asked('watch', 2);
      await told.signalVm(vmSignals.lookNow);
      await told.asked('watch', 3);
    },
  },
  {
    name: 'what a look says and keeps after its timeout is lost',
    script: {
      watch: [
        shortLooks,
        held((attempt) => {
          attempt.heartbeat(['late']);
          return well();
        }),
        () => steady(1_000),
        quiet,
      ],
    },
    async play(told) {
      await told.startVm();
      await told.asked('watch', 3);
      told.release();
      await told.asked('watch', 4);
    },
  },
];
