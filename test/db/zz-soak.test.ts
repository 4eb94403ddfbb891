import { pino } from 'pino';
import { expect, it } from 'vitest';
import { createLook } from '../../activities/look/look.ts';
import { createUnstoredResults } from '../../activities/look/unstored-results.ts';
import { openDatabase } from '../../db/database.ts';
import { createDatabaseState } from '../../db/database-state.ts';
import { LIMITS } from '../../db/limits.ts';
import { createLookWriter, MAX_LANES } from '../../db/looks/look-writer.ts';
import { ensurePartitions } from '../../db/upkeep/partitions.ts';
import { tickAtOrBefore } from '../../domain/grid.ts';
import { probeResult } from '../domain/examples.ts';
import { startOwnPostgres } from '../support/own-postgres.ts';
import { breakableLink } from './breakable-link.ts';
import { holdRow } from './held-row.ts';
import { NOON, registerVm } from './watched.ts';

const sleep = (ms: number) => new Promise((r) => setTimeout(r, ms));
const rnd = (n: number) => Math.floor(Math.random() * n);

it('soak', async () => {
  process.on('unhandledRejection', (e) => { console.log('UNHANDLED', e); });
  const server = await startOwnPostgres();
  const link = await breakableLink(server.url);
  const script = openDatabase(server.url, { applicationName: 'script' });
  await ensurePartitions(script.pool, NOON);
  const told: string[] = [];
  const state = createDatabaseState(link.url, { began: (t) => void told.push(t.reason), over: () => void told.push('over') });
  const reads = openDatabase(link.url, { applicationName: 'reads', max: 4, limits: LIMITS.looks, state });
  const writes = openDatabase(link.url, { applicationName: 'writes', max: MAX_LANES + 1, limits: LIMITS.writes, state });
  const heals = openDatabase(link.url, { applicationName: 'heals', max: 8, limits: LIMITS.heals, state });
  const unstored = createUnstoredResults();
  let nowMs = NOON;
  const seen = new Map<string, Set<number>>();
  const errors: string[] = [];
  const log = { error: (o: any, m: string) => errors.push(`${m} ${o.err?.message}`) };
  const look = createLook({ database: reads, looks: createLookWriter(writes.pool, (t, e) => state.note('looks', t, e)), probes: new Map([['http', { needs: [], probe: async () => probeResult('healthy') }]]), log: log as never, now: () => nowMs } as never, unstored);
  const vms = await Promise.all(Array.from({ length: 60 }, () => registerVm(script, {}, [{}])));
  const before = new Map<string, any>();
  let maxLookMs = 0;
  let slow: string[] = [];
  let fault = 'none';
  const one = async (vmId: string) => {
    const t0 = performance.now();
    const b = before.get(vmId);
    const outcome: any = await look({ vmId, mode: () => ({ paceMs: null, now: false }), settingsVersion: 1, limitMs: null, unstored: Math.random() < 0.8 && b?.kind === 'not-stored' ? b.unstored : [] }).catch((e) => ({ kind: 'threw', e: String(e) }));
    const ms = performance.now() - t0;
    if (ms > maxLookMs) { maxLookMs = ms; }
    if (ms > 5200) slow.push(`${fault} ${ms | 0}`);
    if (outcome.kind === 'threw') errors.push(outcome.e);
    before.set(vmId, outcome);
    for (const r of outcome.results ?? []) { const s = seen.get(vmId) ?? new Set(); s.add(r.dueAtMs); seen.set(vmId, s); }
  };
  let on = true;
  let rounds = 0;
  const looker = (async () => {
    while (on) {
      nowMs += 60_000; rounds++;
      await Promise.all(vms.map(async (v) => { await sleep(rnd(150)); await one(v.vmId); }));
    }
  })();
  const txs = (async () => {
    while (on) {
      await heals.orm.transaction(async (tx) => { await tx.execute(`SELECT 1`); await tx.execute(`UPDATE vms SET name = name WHERE id = '${vms[rnd(60)]!.vmId}'`); await tx.execute(`UPDATE vms SET name = name WHERE id = '${vms[rnd(60)]!.vmId}'`); }).catch(() => undefined);
      await sleep(20);
    }
  })();
  const endAt = performance.now() + 150_000;
  const counts: Record<string, number> = {};
  while (performance.now() < endAt) {
    fault = ['silence', 'answers', 'cut', 'freeze', 'kill', 'hold', 'flap', 'lockTable'][rnd(8)]!;
    counts[fault] = (counts[fault] ?? 0) + 1;
    const ms = 200 + rnd(5000);
    if (fault === 'silence') { link.silence(); await sleep(ms); link.mend(); }
    if (fault === 'answers') { link.silence('answers'); await sleep(ms); link.mend(); }
    if (fault === 'cut') { link.cut(); await sleep(ms / 2); link.mend(); }
    if (fault === 'freeze') { server.freeze(); await sleep(ms); server.thaw(); }
    if (fault === 'kill') await script.pool.query(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name IN ('reads','writes','heals')`);
    if (fault === 'hold') { const h = await Promise.all([rnd(60), rnd(60), rnd(60)].map((i) => holdRow(server.url, vms[i]!.vmId))); await sleep(ms); for (const x of h) await x.release(); }
    if (fault === 'flap') for (let i = 0; i < 8; i++) { link.silence(); await sleep(100 + rnd(200)); link.mend(); await sleep(50 + rnd(100)); }
    if (fault === 'lockTable') { const c = await script.pool.connect(); await c.query('BEGIN; LOCK TABLE check_results'); await sleep(ms); await c.query('ROLLBACK'); c.release(); }
    fault = 'none';
    await sleep(rnd(2500));
  }
  on = false;
  await looker; await txs;
  await sleep(6000);
  for (let i = 0; i < 4; i++) { nowMs += 60_000; await Promise.all(vms.map((v) => one(v.vmId))); await sleep(500); }
  let missing = 0; let wrongCount = 0; let total = 0;
  for (const v of vms) {
    const { rows } = await script.pool.query('SELECT due_at FROM check_results WHERE vm_id = $1 ORDER BY due_at', [v.vmId]);
    const stored = new Set(rows.map((r: any) => r.due_at.getTime()));
    total += stored.size;
    for (const due of seen.get(v.vmId) ?? []) if (!stored.has(due)) missing++;
    const { rows: st } = await script.pool.query('SELECT consecutive_successes AS n FROM check_state WHERE vm_id = $1', [v.vmId]);
    if (st[0].n !== stored.size) wrongCount++;
  }
  console.log({ rounds, total, missing, wrongCount, dropped: unstored.dropped, left: !unstored.isEmpty, maxLookMs, slow, counts, told: told.join(' '), errors: errors.slice(0, 10), nErrors: errors.length, pools: [reads, writes, heals].map((d) => [d.pool.totalCount, d.pool.idleCount, d.pool.waitingCount]), retried: heals.counts.retried });
  expect(missing).toBeLessThanOrEqual(unstored.dropped);
  await reads.close(); await writes.close(); await heals.close(); await state.close(); await link.close(); await script.close(); await server.stop();
  void pino; void tickAtOrBefore;
}, 300_000);
