import { once } from 'node:events';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ApiUnderTest, startApiUnderTest, tenantToken } from './api-under-test.ts';
import { withoutTemporal } from './without-temporal.ts';

let api: ApiUnderTest;
beforeAll(async () => {
  api = await startApiUnderTest({ temporal: withoutTemporal });
});
afterAll(() => api.close());

describe('the provider of a VM, over the API', () => {
  it('registers this machine once, by operators only; a machine without a hypervisor by anybody, and often', async () => {
    const vm = (kind: string) => ({ name: kind, address: '192.0.2.7', provider: { kind } });
    const token = await tenantToken(api, 'machines', 'USER');
    const admin = await tenantToken(api, 'machines', 'ADMIN');
    for (const one of [token, admin]) {
      expect((await api.call('POST', '/api/vms', vm('local'), { token: one })).status).toBe(403);
    }
    const first = await api.call('POST', '/api/vms', vm('local'));
    expect(first).toMatchObject({ status: 201, body: { provider: { kind: 'local' }, warnings: [] } });
    const second = await api.call('POST', '/api/vms', vm('local'));
    expect(second).toMatchObject({ status: 409, body: { error: expect.stringContaining(first.body.id) } });
    for (const _ of [1, 2]) expect((await api.call('POST', '/api/vms', vm('none'), { token })).status).toBe(201);
  });

  it('warns of a QMP socket where nothing listens, and registers the VM all the same', async () => {
    const { server } = await listeningAt(join(api.sockets, 'answers.sock'));
    const register = (socket: string) =>
      api.call('POST', '/api/vms', {
        name: socket,
        provider: { kind: 'qemu', qmpSocket: join(api.sockets, `${socket}.sock`) },
      });
    const missing = await register('mistyped');
    expect(missing).toMatchObject({
      status: 201,
      body: {
        warnings: [expect.stringMatching(/^Nothing listens at this qmpSocket now: No socket at .*mistyped\.sock/)],
      },
    });
    // it greets nobody, so it may be busy
    expect(await register('answers')).toMatchObject({ status: 201, body: { warnings: [] } });
    const moved = { kind: 'qemu', qmpSocket: join(api.sockets, 'moved.sock') };
    expect((await api.call('PATCH', `/api/vms/${missing.body.id}`, { provider: moved })).body.warnings).toHaveLength(1);
    expect((await api.call('PATCH', `/api/vms/${missing.body.id}`, { name: 'renamed' })).body.warnings).toEqual([]);
    const outside = { name: 'outside', provider: { kind: 'qemu', qmpSocket: '/elsewhere/vm.sock' } };
    expect((await api.call('POST', '/api/vms', outside)).body.error).toContain('add it to QMP_SOCKET_DIRS');
    server.close();
  });
});

async function listeningAt(path: string): Promise<{ server: Server }> {
  const server = createServer();
  await once(server.listen(path), 'listening');
  return { server };
}
