import { expect, test } from 'vitest';
import { createProviders } from '../../providers/registry.ts';

const providers = createProviders({ qmpSocketDirs: [] });

test('every provider is found by its own kind', () => {
  expect([...providers].map(([kind, provider]) => kind === provider.kind)).toEqual([true, true]);
  expect([...providers.keys()]).toEqual(['qemu', 'local']);
});

test('this machine runs, and its power is never touched', async () => {
  const local = providers.get('local')!;
  expect(await local.state({ kind: 'local' }, 1000)).toMatchObject({ ok: true, state: { power: 'running' } });
  for (const action of ['reset', 'reboot', 'shutdown', 'stop', 'start'] as const) {
    expect(local.supports.has(action)).toBe(false);
    const outcome = await local.power({ kind: 'local' }, action, 1000);
    expect(outcome).toMatchObject({ outcome: 'not-sent', reason: 'unsupported' });
  }
});

test('a provider does not act on a VM of another kind', async () => {
  const qemu = providers.get('qemu')!;
  expect(await qemu.state({ kind: 'local' }, 1000)).toMatchObject({ ok: false, reason: 'unsupported' });
  expect(await qemu.power({ kind: 'local' }, 'reset', 1000)).toMatchObject({
    outcome: 'not-sent',
    reason: 'unsupported',
  });
});
