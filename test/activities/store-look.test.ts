import { pino } from 'pino';
import { expect, it } from 'vitest';
import { createStoreLook } from '../../activities/look/store-look.ts';
import { planLook } from '../../domain/look.ts';
import type { CheckResult } from '../../domain/probe-result.ts';
import { NOW, probeResult, watchedVm } from '../domain/examples.ts';

it('while Postgres is away the same tick is not due again, whoever asks', async () => {
  const away = Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' });
  const remembered: unknown[] = [];
  const storeLook = createStoreLook(
    { looks: { write: async () => Promise.reject(away) }, log: pino({ level: 'silent' }), now: () => NOW },
    { read: async () => 'away', remember: (vm) => remembered.push(vm) },
  );
  const vm = watchedVm();
  const mode = { paceMs: null, now: false };
  const results = planLook(vm, mode, NOW).map(({ check, dueAtMs }): CheckResult => {
    return { ...probeResult('healthy'), checkId: check.checkId, dueAtMs, checkedAtMs: NOW };
  });
  const stored = await storeLook(vm, results);
  if (stored.kind !== 'not-stored') throw new Error(stored.kind);
  expect(stored.unstored).toEqual(results);
  expect(planLook(stored.vm, mode, NOW)).toEqual([]);
  expect(remembered).toEqual([stored.vm]);
});
