import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { createConnection } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { until } from '../../../local/until.ts';
import { createQemuProvider } from '../../../providers/qemu/qemu-provider.ts';
import { describeNeeding } from '../../support/requirements.ts';
import { sendNow } from '../../support/send-now.ts';
import { startTestVm, type TestVm } from './start-test-vm.ts';

const LONG_MS = 120_000;

describeNeeding(['qemu'], 'a real QEMU VM', () => {
  let vm: TestVm;
  const dir = realpathSync(mkdtempSync(join(tmpdir(), 'qmp-')));
  const provider = createQemuProvider({ qmpSocketDirs: [dir] });
  const reset = () => sendNow(provider, { kind: 'qemu', qmpSocket: vm.qmpSocket }, 'reset', 20_000);
  const state = () => provider.state({ kind: 'qemu', qmpSocket: vm.qmpSocket }, 20_000);

  beforeAll(async () => {
    vm = await startTestVm({ dir });
  }, LONG_MS);

  afterAll(async () => {
    await vm?.stop();
    rmSync(dir, { recursive: true, force: true });
  });

  const untilItServes = () => until(async () => (await vm.health()) === 200);

  test('whose web server hangs answers again after one reset', { timeout: LONG_MS }, async () => {
    const [resetsBefore, bootBefore] = [vm.resets(), await vm.bootId()];
    await vm.hang();
    expect(await vm.health()).toBeNull();
    expect(await state()).toMatchObject({ ok: true, state: { power: 'running' } });
    expect(await reset()).toEqual({ outcome: 'done', detail: 'system_reset: announced, running' });
    await untilItServes();
    expect(await vm.bootId()).not.toBe(bootBefore);
    expect(vm.resets() - resetsBefore).toBe(1);
  });

  test('whose CPUs are stopped runs and answers again after one reset', { timeout: LONG_MS }, async () => {
    const resetsBefore = vm.resets();
    await vm.qmp('stop');
    expect(await vm.health()).toBeNull();
    expect(await state()).toMatchObject({ ok: true, state: { power: 'paused', detail: 'paused' } });
    expect(await reset()).toEqual({
      outcome: 'done',
      detail: 'system_reset: announced, was prelaunch; cont: running',
    });
    expect(await state()).toMatchObject({ ok: true, state: { power: 'running' } });
    await untilItServes();
    expect(vm.resets() - resetsBefore).toBe(1);
  });

  test('whose kernel panicked answers again after one reset', { timeout: LONG_MS }, async () => {
    const resetsBefore = vm.resets();
    await vm.panic();
    await expect.poll(state, { timeout: 30_000 }).toMatchObject({ ok: true, state: { power: 'panicked' } });
    expect(await reset()).toMatchObject({ outcome: 'done' });
    await untilItServes();
    expect(vm.resets() - resetsBefore).toBe(1);
  });

  test('is frozen by stop and goes on where it was after start', { timeout: LONG_MS }, async () => {
    const bootBefore = await vm.bootId();
    const reference = { kind: 'qemu', qmpSocket: vm.qmpSocket } as const;
    expect(await sendNow(provider, reference, 'stop', 20_000)).toMatchObject({ outcome: 'done' });
    expect(await vm.health()).toBeNull();
    expect(await sendNow(provider, reference, 'start', 20_000)).toMatchObject({ outcome: 'done' });
    await untilItServes();
    expect(await vm.bootId()).toBe(bootBefore);
  });

  test('whose monitor is held by somebody else is busy, and nothing is sent', { timeout: LONG_MS }, async () => {
    const resetsBefore = vm.resets();
    const other = createConnection(vm.qmpSocket);
    await new Promise((resolve) => other.once('data', resolve));
    expect(await state()).toMatchObject({ ok: false, reason: 'busy' });
    expect(await reset()).toMatchObject({ outcome: 'not-sent', reason: 'busy' });
    other.destroy();
    await expect.poll(state, { timeout: 30_000 }).toMatchObject({ ok: true });
    expect(vm.resets() - resetsBefore).toBe(0);
  });

  test('takes many looks at the same time without one being lost', { timeout: LONG_MS }, async () => {
    const answers = await Promise.all(Array.from({ length: 10 }, state));
    expect(answers.filter((answer) => !answer.ok)).toEqual([]);
  });
});
