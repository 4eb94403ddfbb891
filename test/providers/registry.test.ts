import { expect, test } from 'vitest';
import { z } from 'zod';
import { local } from '../../providers/local/kind.ts';
import { none } from '../../providers/none/kind.ts';
import type { Provider, ProviderKind } from '../../providers/provider.ts';
import { createProviders, type Providers } from '../../providers/providers.ts';
import { PROVIDER_KINDS } from '../../providers/registry.ts';
import { sendNow } from '../support/send-now.ts';
import { settingsOf } from '../support/settings.ts';

const settings = settingsOf();
const openCredentials = (sealed: string) => ({ token: sealed });
const providers = createProviders(PROVIDER_KINDS, { settings, openCredentials });

function reached(from: Providers, kind: string): Provider {
  const answer = from.reach(kind, null);
  if (!answer.ok) throw new Error(answer.message);
  return answer.provider;
}

test('every kind is found by its own name', () => {
  expect([...providers.kinds]).toEqual(PROVIDER_KINDS.map((kind) => [kind.kind, kind]));
  expect(providers.reach('vmware', null)).toMatchObject({ ok: false, reason: 'unsupported' });
});

test('this machine runs, and its power is never touched', async () => {
  const here = reached(providers, 'local');
  expect(await here.state({ kind: 'local' }, 1000)).toMatchObject({ ok: true, state: { power: 'running' } });
  for (const action of ['reset', 'reboot', 'shutdown', 'stop', 'start'] as const) {
    expect(local.actions.has(action)).toBe(false);
    const outcome = await sendNow(here, { kind: 'local' }, action, 1000);
    expect(outcome).toMatchObject({ outcome: 'not-sent', reason: 'unsupported' });
  }
});

test('a machine without a hypervisor is taken to run, and its power is never touched', async () => {
  const nowhere = reached(providers, 'none');
  const reference = { kind: 'none' };
  expect(await nowhere.register(reference)).toEqual({ ok: true, reference, key: null, warning: null });
  expect(await nowhere.state(reference, 1000)).toMatchObject({ ok: true, state: { power: 'running' } });
  for (const action of ['reset', 'reboot', 'shutdown', 'stop', 'start', 'resume'] as const) {
    expect(none.actions.has(action)).toBe(false);
    const outcome = await sendNow(nowhere, reference, action, 1000);
    expect(outcome).toMatchObject({ outcome: 'not-sent', reason: 'unsupported' });
  }
  expect(await nowhere.readBack(reference, 'reset', 1000)).toMatchObject({ verdict: 'cannot-tell' });
});

test('a provider does not act on a VM of another kind', async () => {
  const qemu = reached(providers, 'qemu');
  expect(await qemu.state({ kind: 'local' }, 1000)).toMatchObject({ ok: false, reason: 'unsupported' });
  expect(await sendNow(qemu, { kind: 'local' }, 'reset', 1000)).toMatchObject({
    outcome: 'not-sent',
    reason: 'unsupported',
  });
  expect(await qemu.register({ kind: 'local' })).toMatchObject({ ok: false, problems: [{ path: 'qmpSocket' }] });
});

/** A kind with config and credentials, which only answers how it was set up. */
const cluster = {
  ...local,
  kind: 'cluster',
  config: z.strictObject({ url: z.url() }),
  credentials: z.strictObject({ token: z.string() }),
  fromSettings: () => null,
  connect: ({ config, credentials }, place) => ({
    ...reached(providers, 'local'),
    test: async () => ({ ok: true, detail: `${config.url} ${credentials.token} ${place.site}` }),
  }),
} satisfies ProviderKind<{ url: string }, { token: string }>;

const stored = {
  id: 'c1',
  kind: 'cluster',
  site: 'dmz',
  config: { url: 'https://pve1:8006' },
  credentials: 'sealed',
  revision: 1,
};

function clusters(open: (sealed: string) => ReturnType<typeof openCredentials> | string) {
  return createProviders([cluster as ProviderKind], { settings, openCredentials: open });
}

test('a stored instance is connected with its opened credentials, once per revision', async () => {
  const opened: string[] = [];
  const own = clusters((sealed) => {
    opened.push(sealed);
    return { token: `${sealed}, opened` };
  });
  for (const revision of [1, 1, 2]) {
    const answer = own.reach('cluster', { ...stored, revision });
    expect(answer.ok && (await answer.provider.test(1000))).toEqual({
      ok: true,
      detail: 'https://pve1:8006 sealed, opened dmz',
    });
  }
  expect(opened).toEqual(['sealed', 'sealed']);
});

test('an instance that can not be used says why, without its credentials', () => {
  const locked = clusters(() => {
    throw new Error('sealed with another key');
  });
  expect(locked.reach('cluster', stored)).toEqual({
    ok: false,
    reason: 'unsupported',
    message: "Provider c1 can't be used: sealed with another key",
  });
  const answer = clusters(() => 'hunter2').reach('cluster', stored);
  expect(answer).toMatchObject({ ok: false, reason: 'unsupported' });
  expect(JSON.stringify(answer)).not.toContain('hunter2');
  expect(clusters(openCredentials).reach('cluster', { ...stored, config: {} })).toMatchObject({ ok: false });
});

test('what the environment does not set up is said so', () => {
  expect(clusters(openCredentials).reach('cluster', null)).toEqual({
    ok: false,
    reason: 'unsupported',
    message: 'Site main has no cluster set up in its environment.',
  });
});
