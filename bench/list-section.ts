import autocannon from 'autocannon';
import type { Report } from './report.ts';
import type { World } from './world.ts';

const SECONDS = 20;
const LIMIT = 100;
const PATH = `/api/vms?limit=${LIMIT}`;

/** One client reads lists, one request after the other, while the looks go on. */
export async function measureList(world: World, vms: number, looks: string, report: Report): Promise<void> {
  report.heading('Reading the list of VMs');
  report.say(
    `\`GET ${PATH}\` with ${vms} VMs, one client that sends the next request at once, for ${SECONDS} s, while ${looks}. First it ` +
      'reads the first page over and over, then all pages in turn by their cursors. The rate limit is set so high that it does not apply.',
  );
  await read(world, 2, false);
  const first = await read(world, SECONDS, false);
  const pages = await read(world, SECONDS, true);
  const row = (what: string, { requests, latency }: autocannon.Result) => {
    return [what, String(requests.total), `${latency.p50} / ${latency.p99} / ${latency.max} ms`];
  };
  report.table(['Requests', 'Number', 'p50 / p99 / max'], [row('first page', first), row('all pages in turn', pages)]);
  report.add({
    figure: `\`GET ${PATH}\` with ${vms} VMs, p99, while ${looks}`,
    goal: '< 50 ms',
    measured: `${first.latency.p99} ms`,
    ok: first.latency.p99 < 50,
  });
}

/** @throws Error when an answer is not a list of as many VMs as were asked for. */
async function read({ apiUrl, adminToken }: World, seconds: number, inTurn: boolean): Promise<autocannon.Result> {
  let path = PATH;
  let shortest = LIMIT;
  const result = await autocannon({
    url: apiUrl,
    connections: 1,
    duration: seconds,
    headers: { authorization: `Bearer ${adminToken}` },
    requests: [
      {
        setupRequest: (request) => ({ ...request, path }),
        onResponse(_status, body) {
          const { vms, nextCursor } = JSON.parse(body) as { vms: unknown[]; nextCursor: string | null };
          if (path === PATH) shortest = Math.min(shortest, vms.length);
          if (inTurn) path = nextCursor === null ? PATH : `${PATH}&cursor=${nextCursor}`;
        },
      },
    ],
  });
  if (result.non2xx + result.errors > 0) throw new Error(`GET ${PATH}: ${result.non2xx + result.errors} failed`);
  if (shortest < LIMIT) throw new Error(`a list of ${shortest} VMs, not ${LIMIT}`);
  return result;
}
