import type { Client } from '@temporalio/client';
import { expect, it } from 'vitest';
import { createCircuitOn } from '../../temporal/circuit.ts';
import { callProviderAt } from '../../temporal/provider-caller.ts';

it('says at once that no worker could be asked, while Temporal does not answer', async () => {
  const circuit = createCircuitOn(() => new Promise(() => undefined));
  const unavailable = Object.assign(new Error('unavailable'), { code: 14, details: '', metadata: {} });
  await circuit.attempt(() => Promise.reject(unavailable)).catch(() => undefined);
  // nothing is asked of it
  const client = {} as Client;
  expect(await callProviderAt(client, circuit, 'elsewhere', { call: 'test', kind: 'qemu', instanceId: null })).toEqual({
    ok: false,
    reason: 'unreachable',
    message: 'Temporal does not answer, so no worker could be asked.',
  });
});
