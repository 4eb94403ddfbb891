import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type ApiUnderTest, startApiUnderTest } from '../api-under-test.ts';
import { withoutTemporal } from '../without-temporal.ts';
import { createJudge } from './judge.ts';
import { createPlayer } from './player.ts';
import { requestsTo } from './requests.ts';
import { stockedTenant } from './tenant.ts';

const USUAL_REQUESTS = 20_000;
const REQUESTS = Number(process.env['FUZZ_REQUESTS'] ?? USUAL_REQUESTS);
/** Another each time. */
const SEED = Number(process.env['FUZZ_SEED'] ?? Date.now() % 1_000_000_000);
/** Each lane sends its requests one after the other, between two tenants of its own: so a seed plays the same again. */
const LANES = [0, 1, 2, 3];

let api: ApiUnderTest;
beforeAll(async () => {
  const settings = { RATE_LIMIT_PER_MINUTE: '1000000', RATE_LIMIT_ADDRESS_PER_MINUTE: '1000000' };
  api = await startApiUnderTest({ temporal: withoutTemporal, settings });
});
afterAll(() => api.close());

const title = `${REQUESTS} requests to every operation are answered as declared, and tell nothing of other tenants`;
it(title, { timeout: 300_000 }, async () => {
  const tenants = await Promise.all(
    LANES.map(
      async (lane) =>
        [await stockedTenant(api, `tenant-${lane}-a`), await stockedTenant(api, `tenant-${lane}-b`)] as const,
    ),
  );
  const judge = createJudge(tenants.flat());
  const requests = requestsTo(api.endpoints);
  const done = new Set<string>();
  const beganAtMs = performance.now();

  async function playLane(lane: number): Promise<void> {
    const player = createPlayer(api, tenants[lane]!);
    const property = fc.asyncProperty(requests, async (request) => {
      const { sent, reply } = await player.play(request);
      judge(sent, reply);
      api.checkAnswer(request.method, sent.path, reply);
      if (reply.status < 300) done.add(request.operation);
    });
    await fc.assert(property, { seed: SEED + lane, numRuns: Math.ceil(REQUESTS / LANES.length) });
    await player.close();
  }

  try {
    await Promise.all(LANES.map(playLane));
  } catch (error) {
    const again = `To play the same again: FUZZ_SEED=${SEED} FUZZ_REQUESTS=${REQUESTS} npm test -- test/api/fuzz`;
    throw new Error(again, { cause: error });
  }
  const seconds = (performance.now() - beganAtMs) / 1000;
  console.log(
    `fuzz: ${REQUESTS} requests from seed ${SEED} in ${seconds.toFixed(1)} s, ${Math.round(REQUESTS / seconds)} a second`,
  );
  // a fuzz whose requests are all refused shows nothing
  const refused = api.endpoints.map(({ id }) => id).filter((id) => !done.has(id));
  if (REQUESTS >= USUAL_REQUESTS) expect(refused, 'operations that were never carried out').toEqual([]);
});
