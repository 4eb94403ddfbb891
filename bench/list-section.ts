import { type ApiClient, createApiClient } from './api-client.ts';
import { percentile, type Report, spread } from './report.ts';
import type { World } from './world.ts';

const SECONDS = 20;
const LIMIT = 100;

/** One client reads lists, one request after the other, while the looks go on. */
export async function measureList(world: World, vms: number, looks: string, report: Report): Promise<void> {
  report.heading('Reading the list of VMs');
  report.say(
    `\`GET /api/vms?limit=${LIMIT}\` with ${vms} VMs, one client without a pause for ${SECONDS} s, while ${looks}. First the ` +
      'same first page again and again, then all pages in turn by their cursors. The rate limit is out of the way.',
  );
  const api = createApiClient(world);
  try {
    await read(api, 2, () => '');
    const firstMs = await read(api, SECONDS, () => '');
    const pagesMs = await read(api, SECONDS, (nextCursor) => (nextCursor === null ? '' : `&cursor=${nextCursor}`));
    report.table(
      ['Requests', 'Number', 'p50 / p99 / max'],
      [
        ['first page', String(firstMs.length), spread(firstMs, 1)],
        ['all pages in turn', String(pagesMs.length), spread(pagesMs, 1)],
      ],
    );
    const p99 = percentile(firstMs, 99);
    report.add({
      figure: `\`GET /api/vms?limit=${LIMIT}\` with ${vms} VMs, p99, while ${looks}`,
      goal: '< 50 ms',
      measured: `${p99.toFixed(1)} ms`,
      ok: p99 < 50,
    });
  } finally {
    await api.close();
  }
}

async function read(
  api: ApiClient,
  seconds: number,
  cursorAfter: (nextCursor: string | null) => string,
): Promise<number[]> {
  const untilMs = Date.now() + seconds * 1000;
  const tookMs: number[] = [];
  let cursor = '';
  while (Date.now() < untilMs) {
    const beganAtMs = performance.now();
    const answer = (await api.call('GET', `/api/vms?limit=${LIMIT}${cursor}`)) as {
      vms: unknown[];
      nextCursor: string | null;
    };
    tookMs.push(performance.now() - beganAtMs);
    if (cursor === '' && answer.vms.length !== LIMIT)
      throw new Error(`a list of ${answer.vms.length} VMs, not ${LIMIT}`);
    cursor = cursorAfter(answer.nextCursor);
  }
  return tookMs;
}
