import { afterAll, beforeAll, expect, it } from 'vitest';
import { ensureAdminToken } from '../../db/access/admin-token.ts';
import { describeNeeding } from '../support/requirements.ts';
import { type ApiUnderTest, OPERATOR_TOKEN, registered, startApiUnderTest, tenantToken } from './api-under-test.ts';
import { operationsOf } from './openapi-document.ts';

describeNeeding(['temporal'], 'Access', () => {
  let api: ApiUnderTest;
  let vm: { id: string; agentToken: string };
  let policyId: string;
  let routes: { method: string; path: string; roles: readonly string[] }[];

  beforeAll(async () => {
    api = await startApiUnderTest();
    vm = await registered(api, { externalId: 'ours' });
    policyId = (await api.call('POST', '/api/vms/auto-heal/policies', { name: 'ours' })).body.id;
    routes = await routesOf(api);
  });
  afterAll(() => api.close());

  const filled = (path: string, id: string) =>
    path.replace(':id', id).replace(':checkType', 'ping').replace(':policyId', policyId).replace(':tokenId', policyId);

  const BODIES: Record<string, unknown> = {
    'PATCH /api/vms/:id': { name: 'stolen' },
    'PUT /api/vms/:id/health/config': { checkType: 'ping', intervalSeconds: 7 },
    'PUT /api/cloud-pods/:id/health/config': { checkType: 'ping', intervalSeconds: 7 },
    'POST /api/vms/:id/pause': { reason: 'mine now' },
    'POST /api/cloud-pods/:id/pause': { reason: 'mine now' },
  };

  it('asks every endpoint for a token, and says what is wrong with one', async () => {
    expect(routes.length).toBeGreaterThan(40);
    for (const { method, path } of routes) {
      const reply = await api.call(method, filled(path, vm.id), undefined, { token: null });
      expect(reply.status, `${method} ${path}`).toBe(401);
      expect(reply.headers.get('www-authenticate')).toContain('Bearer');
    }
    expect((await api.call('GET', '/api/vms', undefined, { token: 'wrong' })).body.error).toContain('not known');
    const basic = { headers: { authorization: 'Basic abc' }, token: null };
    expect((await api.call('GET', '/api/vms', undefined, basic)).status).toBe(401);
  });

  it("answers another tenant's ids on every route as if they did not exist, and changes nothing", async () => {
    const token = await tenantToken(api, 'strangers');
    const before = await api.counts();
    const ofAdmins = routes.filter((route) => route.roles.includes('ADMIN'));
    for (const { method, path } of ofAdmins.filter((route) => /:(id|policyId|tokenId)/.test(route.path))) {
      for (const id of [vm.id, 'ours']) {
        const reply = await api.call(method, filled(path, id), BODIES[`${method} ${path}`], { token });
        expect(reply.status, `${method} ${path}: ${reply.text}`).toBe(404);
        expect(reply.text).not.toContain('vm-');
      }
    }
    const upsert = { id: policyId, name: 'stolen' };
    const stolen = await api.call('POST', '/api/vms/auto-heal/policies', upsert, { token });
    expect(stolen.status).toBe(404);
    const scoped = { name: 'scoped', vmId: vm.id };
    expect((await api.call('POST', '/api/vms/auto-heal/policies', scoped, { token })).status).toBe(400);
    expect((await api.call('POST', '/api/health/report', { vmId: vm.id }, { token })).status).toBe(404);
    const agent = { name: 'spy', role: 'AGENT', vmId: vm.id };
    expect((await api.call('POST', '/api/tokens', agent, { token })).status).toBe(400);
    expect(await api.counts()).toEqual(before);
    for (const path of ['/api/vms', '/api/vms/health/overview', '/api/vms/auto-heal/policies', '/api/status']) {
      const { text } = await api.call('GET', path, undefined, { token });
      expect(text, path).not.toContain(vm.id);
      expect(text, path).not.toContain(policyId);
    }
    expect((await api.call('GET', '/api/status', undefined, { token })).body.total).toBe(0);
    expect((await api.call('GET', `/api/vms/${vm.id}`)).body.name).not.toBe('stolen');
  });

  it('lets each role do what is its own', async () => {
    const tokens: Record<string, string> = {
      USER: await tenantToken(api, 'roles', 'USER'),
      ADMIN: await tenantToken(api, 'roles', 'ADMIN'),
      OPERATOR: await tenantToken(api, 'roles', 'OPERATOR'),
    };
    tokens.AGENT = (await registered(api, {}, tokens.ADMIN)).agentToken;
    for (const { method, path, roles } of routes) {
      for (const [role, token] of Object.entries(tokens)) {
        if (roles.includes(role)) continue;
        const reply = await api.call(method, filled(path, 'x'), undefined, { token });
        expect(reply.status, `${role} ${method} ${path}`).toBe(403);
      }
    }
  });

  it('takes an agent token from the header of older agents', async () => {
    const headers = { 'x-agent-token': vm.agentToken };
    const reply = await api.call('POST', '/api/health/report', { cpu: 1 }, { token: null, headers });
    expect(reply.status, reply.text).toBe(200);
  });

  it('makes tokens within the tenant, shows them without secrets, and revokes them at once', async () => {
    const admin = await tenantToken(api, 'token-makers');
    const made = await api.call('POST', '/api/tokens', { name: 'reader', role: 'USER' }, { token: admin });
    expect(made.status, made.text).toBe(201);
    expect((await api.call('GET', '/api/vms', undefined, { token: made.body.token })).status).toBe(200);
    const listed = await api.call('GET', '/api/tokens', undefined, { token: admin });
    expect(listed.body.tokens.map((token: { name: string }) => token.name)).toContain('reader');
    expect(listed.text).not.toContain(made.body.token);
    expect(listed.text).not.toMatch(/[0-9a-f]{64}/);
    expect((await api.call('DELETE', `/api/tokens/${made.body.id}`, undefined, { token: admin })).status).toBe(200);
    const after = await api.call('GET', '/api/vms', undefined, { token: made.body.token });
    expect(after).toMatchObject({ status: 401, body: { error: expect.stringContaining('revoked') } });
    const operator = { name: 'up', role: 'OPERATOR' };
    expect((await api.call('POST', '/api/tokens', operator, { token: admin })).status).toBe(403);
    const elsewhere = { name: 'x', role: 'USER', tenantId: 'default' };
    expect((await api.call('POST', '/api/tokens', elsewhere, { token: admin })).status).toBe(403);
  });

  it('keeps operators out of the reach of administrators', async () => {
    const admin = await tenantToken(api, 'default', 'ADMIN');
    const operators = (await api.call('GET', '/api/tokens')).body.tokens.filter(
      (token: { role: string }) => token.role === 'OPERATOR',
    );
    expect(operators).toHaveLength(1);
    expect((await api.call('GET', '/api/tokens', undefined, { token: admin })).text).not.toContain('OPERATOR');
    const revoked = await api.call('DELETE', `/api/tokens/${operators[0].id}`, undefined, { token: admin });
    expect(revoked.status).toBe(404);
  });

  it('ends a token when it expires', async () => {
    const expiresAt = new Date(api.nowMs + 1_000).toISOString();
    const { body } = await api.call('POST', '/api/tokens', { name: 'short', role: 'USER', expiresAt });
    expect((await api.call('GET', '/api/vms', undefined, { token: body.token })).status).toBe(200);
    api.nowMs += 1_000;
    const expired = await api.call('GET', '/api/vms', undefined, { token: body.token });
    expect(expired.status).toBe(401);
    expect(expired.body.error).toContain(`expired on ${expiresAt}`);
    const past = { name: 'late', role: 'USER', expiresAt };
    expect((await api.call('POST', '/api/tokens', past)).body.errors).toMatchObject([{ path: 'expiresAt' }]);
  });

  it('refuses tenants twice and tokens for none', async () => {
    const tenant = { id: 'twice', name: 'Twice' };
    expect((await api.call('POST', '/api/tenants', tenant)).status).toBe(201);
    expect((await api.call('POST', '/api/tenants', tenant)).status).toBe(409);
    expect((await api.call('GET', '/api/tenants')).body.tenants).toContainEqual(expect.objectContaining(tenant));
    const token = { name: 'x', role: 'USER', tenantId: 'nowhere' };
    expect((await api.call('POST', '/api/tokens', token)).status).toBe(400);
  });

  it("replaces the installation's token when another is preset, and takes back a revoked one", async () => {
    await ensureAdminToken(api.database, 'another-preset-token', new Date(api.nowMs));
    expect((await api.call('GET', '/api/vms')).status).toBe(401);
    expect((await api.call('GET', '/api/tenants', undefined, { token: 'another-preset-token' })).status).toBe(200);
    await ensureAdminToken(api.database, OPERATOR_TOKEN, new Date(api.nowMs));
    await ensureAdminToken(api.database, OPERATOR_TOKEN, new Date(api.nowMs));
    expect((await api.call('GET', '/api/tenants')).status).toBe(200);
  });

  it('never logs a token, whichever way it was sent', async () => {
    await api.call('GET', '/api/vms?q=token-in-query-s3cret');
    const logged = api.logged();
    expect(logged).toContain('"path":"/api/vms"');
    for (const secret of [OPERATOR_TOKEN, vm.agentToken, 'token-in-query-s3cret']) expect(logged).not.toContain(secret);
  });
});

/** All routes that need a token, as the API's own document lists them. `openapi.test.ts` sees that only GET /health does not. */
async function routesOf(api: ApiUnderTest): Promise<{ method: string; path: string; roles: readonly string[] }[]> {
  const { body } = await api.call('GET', '/openapi.json');
  return operationsOf(body)
    .filter(({ operation }) => operation.security?.length !== 0)
    .map(({ method, path, operation }) => ({
      method,
      path: path.replaceAll(/\{(\w+)\}/g, ':$1'),
      roles: /For role ([^.]*)\./.exec(operation.description)?.[1]?.split(', ') ?? [],
    }));
}
