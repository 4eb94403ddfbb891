import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type ApiUnderTest, startApiUnderTest } from '../api-under-test.ts';
import { withoutTemporal } from '../without-temporal.ts';
import { createJudge } from './judge.ts';
import { createPlayer } from './player.ts';
import { requestsTo } from './requests.ts';
import { stockedTenant } from './tenant.ts';

const REQUESTS = Number(process.env['FUZZ_REQUESTS'] ?? 20_000);
/** The same in every run unless another is asked for. */
const SEED = Number(process.env['FUZZ_SEED'] ?? 11);
/** Each lane sends its requests one after the other, between two tenants of its own: so a seed plays the same again. */
const LANES = [0, 1, 2, 3];

let api: ApiUnderTest;
beforeAll(async () => {
  const settings = { RATE_LIMIT_PER_MINUTE: '1000000', RATE_LIMIT_ADDRESS_PER_MINUTE: '1000000', LOG_LEVEL: 'error' };
  api = await startApiUnderTest({ temporal: withoutTemporal, settings });
});
afterAll(() => api.close());

it(`${REQUESTS} requests to every operation are answered as declared, and tell nothing of other tenants`, {
  timeout: 600_000,
}, async () => {
  const tenants = await Promise.all(
    LANES.map(
      async (lane) =>
        [await stockedTenant(api, `tenant-${lane}-a`), await stockedTenant(api, `tenant-${lane}-b`)] as const,
    ),
  );
  const judge = createJudge(tenants.flat().map(({ mark, id }) => ({ mark, tenantId: id })));
  const requests = requestsTo(api.endpoints);
  const answers = new Map<string, Map<number, number>>();
  const began = performance.now();

  async function playLane(lane: number): Promise<void> {
    const player = createPlayer(api, tenants[lane]!);
    const property = fc.asyncProperty(requests, async (request) => {
      const { sent, reply } = await player.play(request);
      const counts = answers.get(request.operation) ?? new Map();
      answers.set(request.operation, counts.set(reply.status, (counts.get(reply.status) ?? 0) + 1));
      judge(sent, reply);
      api.checkAnswer(request.method, sent.path, reply);
    });
    await fc.assert(property, { seed: SEED + lane, numRuns: Math.ceil(REQUESTS / LANES.length) });
    await player.close();
  }

  try {
    await Promise.all(LANES.map(playLane));
  } catch (error) {
    throw new Error(`FUZZ_SEED=${SEED} FUZZ_REQUESTS=${REQUESTS} npm test -- test/api/fuzz`, { cause: error });
  }
  const seconds = (performance.now() - began) / 1000;
  console.log(
    `fuzz: seed ${SEED}, ${REQUESTS} requests in ${seconds.toFixed(1)} s (${Math.round(REQUESTS / seconds)} a second)`,
  );
  for (const [op, counts] of answers) console.log(op, JSON.stringify(Object.fromEntries(counts)));
  expect(answers.size).toBe(api.endpoints.length);
});
