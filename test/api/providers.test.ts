import { afterAll, beforeAll, expect, it } from 'vitest';
import { describeNeeding } from '../support/requirements.ts';
import { type ApiUnderTest, aVm, registered, startApiUnderTest, tenantToken } from './api-under-test.ts';

describeNeeding(['temporal'], 'Providers over the API', () => {
  let api: ApiUnderTest;
  let admin: string;
  let user: string;
  beforeAll(async () => {
    api = await startApiUnderTest();
    admin = await tenantToken(api, 'acme');
    user = await tenantToken(api, 'acme', 'USER');
  });
  afterAll(() => api.close());

  const add = (more: object = {}, token?: string) =>
    api.call('POST', '/api/providers', { kind: 'qemu', name: 'rack 1', ...more }, token === undefined ? {} : { token });
  const list = async (token: string) => (await api.call('GET', '/api/providers', undefined, { token })).body.providers;

  it('lists what the environment sets up, and tests the connection to it', async () => {
    expect(await list(admin)).toContainEqual(
      expect.objectContaining({
        id: 'environment:qemu',
        kind: 'qemu',
        site: 'main',
        source: 'environment',
        hasCredentials: false,
      }),
    );
    const tested = await api.call('POST', '/api/providers/environment:qemu/test', undefined, { token: admin });
    expect(tested.body).toEqual({ reachable: true, reason: null, message: `0 sockets in ${api.sockets}` });
    const changed = await api.call('PATCH', '/api/providers/environment:qemu', { name: 'x' });
    expect(changed.status).toBe(409);
  });

  it('adds one for a tenant or for all, and shows it to whom it is for', async () => {
    const own = await add();
    expect(own).toMatchObject({ status: 201, body: { name: 'rack 1', site: 'main', config: {}, source: 'stored' } });
    const all = await add({ name: 'rack 2', forEveryTenant: true });
    expect(all).toMatchObject({ status: 201, body: { forEveryTenant: true } });
    const stored = (await list(admin)).filter(({ source }: { source: string }) => source === 'stored');
    expect(stored.map(({ name }: { name: string }) => name)).toEqual(['rack 2']);
    expect(await add()).toMatchObject({ status: 409, body: { errors: [{ path: 'name', message: 'is taken' }] } });
    expect((await api.call('GET', '/api/providers', undefined, { token: user })).status).toBe(403);
    expect((await add({ name: 'theirs' }, admin)).body.error).toBe(
      'Only OPERATOR may add, change or remove providers of kind qemu.',
    );
    expect((await add({ kind: 'local', name: 'me' })).status).toBe(403);
  });

  it('names every problem of one at once', async () => {
    const reply = await add({
      kind: 'qemu',
      name: '',
      site: 'No Site',
      config: { url: 'x' },
      credentials: { token: 'y' },
    });
    const paths = reply.body.errors.map(({ path }: { path: string }) => path).toSorted();
    expect([reply.status, paths]).toEqual([400, ['config', 'credentials', 'name', 'site']]);
    expect(reply.text).not.toContain('"y"');
  });

  it('registers VMs at one by its name, shows that to administrators, and is kept while they use it', async () => {
    const { id } = (await add({ name: 'dock' })).body;
    const qmpSocket = `${api.sockets}/docked.sock`;
    const vm = await registered(api, { provider: { kind: 'qemu', instance: 'dock', qmpSocket } });
    expect(vm.provider).toEqual({ kind: 'qemu', qmpSocket, instance: 'dock' });

    const twice = await api.call('POST', '/api/vms', aVm({ provider: { kind: 'qemu', qmpSocket } }));
    expect(twice).toMatchObject({ status: 409, body: { errors: [{ path: 'provider.qmpSocket' }] } });
    const none = await api.call(
      'POST',
      '/api/vms',
      aVm({ provider: { kind: 'qemu', instance: 'nowhere', qmpSocket } }),
    );
    expect(none).toMatchObject({ status: 400, body: { errors: [{ path: 'provider.instance' }] } });

    expect(await api.call('DELETE', `/api/providers/${id}`)).toMatchObject({ status: 409 });
    expect((await api.call('PATCH', `/api/providers/${id}`, { site: 'dmz' })).body.errors).toMatchObject([
      { path: 'site' },
    ]);
    expect((await api.call('PATCH', `/api/providers/${id}`, { name: 'rack 2' })).status).toBe(200);
    expect((await api.call('GET', `/api/vms/${vm.id}`)).body.provider.instance).toBe('rack 2');

    await api.call('DELETE', `/api/vms/${vm.id}`);
    expect((await api.call('DELETE', `/api/providers/${id}`)).body).toEqual({ removed: true });
    expect((await api.call('DELETE', `/api/providers/${id}`)).status).toBe(404);
  });

  it('asks the site of one, and registers nothing where nobody there answers', async () => {
    const { id } = (await add({ name: 'far', site: 'far' })).body;
    const provider = { kind: 'qemu', instance: id, qmpSocket: `${api.sockets}/far.sock` };
    const before = await api.counts();
    const reply = await api.call('POST', '/api/vms', aVm({ provider }));
    expect(reply).toMatchObject({ status: 503, body: { error: 'The provider could not be asked: no worker at far' } });
    expect(reply.headers.get('retry-after')).not.toBeNull();
    expect(await api.counts()).toEqual(before);
    const tested = await api.call('POST', `/api/providers/${id}/test`);
    expect(tested.body).toEqual({ reachable: false, reason: 'unreachable', message: 'no worker at far' });
  });

  it('judges a VM anew that moves to another site: the same name may be another VM there', async () => {
    const qmpSocket = `${api.sockets}/moves.sock`;
    const vm = await registered(api, { provider: { kind: 'qemu', qmpSocket } });
    const moved = await api.call('PATCH', `/api/vms/${vm.id}`, { site: 'dmz' });
    expect(moved).toMatchObject({ status: 503, body: { error: 'The provider could not be asked: no worker at dmz' } });
    expect((await api.call('GET', `/api/vms/${vm.id}`)).body.site).toBe('main');
  });

  it('writes who added and removed one', async () => {
    const { rows } = await api.database.pool.query(
      "SELECT action, details->>'name' AS name FROM audit_log WHERE action LIKE 'provider_%' ORDER BY id",
    );
    expect(rows).toContainEqual({ action: 'provider_created', name: 'dock' });
    expect(rows).toContainEqual({ action: 'provider_updated', name: 'rack 2' });
    expect(rows).toContainEqual({ action: 'provider_removed', name: 'rack 2' });
  });
});
