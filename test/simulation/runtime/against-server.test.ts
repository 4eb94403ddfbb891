import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { describeNeeding } from '../../support/requirements.ts';
import { playSimulated, startRealStage } from './compared/stages.ts';
import { STORIES_OF_HEALS } from './compared/stories-of-heals.ts';
import { STORIES_OF_LOOKS } from './compared/stories-of-looks.ts';
import { STORIES_OF_VMS } from './compared/stories-of-vms.ts';
import type { Seen } from './compared/story.ts';

vi.mock('@temporalio/workflow', async (real) => ({
  ...(await real<object>()),
  ...(await import('./workflow-api.ts')),
}));

const STORIES = [...STORIES_OF_LOOKS, ...STORIES_OF_VMS, ...STORIES_OF_HEALS];

describeNeeding(['temporal'], 'the simulator’s runtime does as a real server', () => {
  const simulated = new Map<string, PromiseSettledResult<Seen>>();
  const real = new Map<string, PromiseSettledResult<Seen>>();
  let stop: () => Promise<void>;

  beforeAll(async () => {
    // one after the other, since `Date` is faked
    for (const story of STORIES) simulated.set(story.name, await settled(playSimulated(story)));
    const stage = await startRealStage();
    stop = stage.stop;
    await Promise.all(STORIES.map(async (story) => real.set(story.name, await settled(stage.play(story)))));
  }, 120_000);

  afterAll(() => stop?.());

  it.each(STORIES)('$name', ({ name }) => {
    expect(seenIn(simulated.get(name))).toEqual(seenIn(real.get(name)));
  });
});

async function settled<T>(promise: Promise<T>): Promise<PromiseSettledResult<T>> {
  const [result] = await Promise.allSettled([promise]);
  return result;
}

function seenIn(played: PromiseSettledResult<Seen> | undefined): Seen {
  if (played?.status === 'fulfilled') return played.value;
  throw played?.reason ?? new Error('not played');
}
