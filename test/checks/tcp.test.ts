import { createServer } from 'node:net';
import { describe, expect, it } from 'vitest';
import { closedPort, listening, look } from './a-look.ts';
import { hungServer } from './hung-server.ts';

describe('the tcp check', () => {
  it('is healthy when the port takes a connection, and says how long that took', async () => {
    const port = await listening(createServer());
    const result = await look('tcp', { target: String(port) });
    expect(result).toMatchObject({
      status: 'healthy',
      reason: 'ok',
      message: null,
      rawResponse: { port, connected: true },
    });
    expect(result.latencyMs).toBeGreaterThan(0);
    expect(result.summary).toMatch(new RegExp(`^tcp:${port} [\\d.]+ ms$`));
  });

  it('leaves no connection behind', async () => {
    let closed = () => {};
    const gone = new Promise<void>((resolve) => {
      closed = resolve;
    });
    const port = await listening(createServer((socket) => socket.resume().on('close', closed)));
    await look('tcp', { target: String(port) });
    await gone;
  });

  it('calls a connection that is reset at once what it was when it was looked at: taken, or reset', async () => {
    const port = await listening(createServer((socket) => socket.resetAndDestroy()));
    const { reason } = await look('tcp', { target: String(port) });
    expect(['ok', 'connection-reset']).toContain(reason);
  });

  it('says what the system says, and what to do, when nothing listens', async () => {
    const port = await closedPort();
    const result = await look('tcp', { target: String(port) });
    const message = `connect ECONNREFUSED 127.0.0.1:${port}. Nothing listens there: start the service, or correct the port.`;
    expect(result).toMatchObject({ status: 'unhealthy', reason: 'connection-refused', message, latencyMs: null });
    expect(result.rawResponse).toEqual({ port, error: message });
    expect(result.summary).toBe(`tcp:${port} connection refused`);
  });

  it('times out on a port that swallows connections', async () => {
    const port = await hungServer({ full: true });
    const result = await look('tcp', { target: String(port), timeoutMs: 300 });
    expect(result).toMatchObject({
      status: 'unhealthy',
      reason: 'timeout',
      message: 'TCP connection timeout (0.3s)',
    });
    expect(result.rawResponse).toEqual({ port, timeout: true });
    expect(result.summary).toBe(`tcp:${port} timeout (0.3s)`);
  });

  it('blames the resolver, not the VM, when no answer comes from it', async () => {
    const surroundings = { resolve: () => new Promise<never>(() => {}) };
    const result = await look('tcp', { target: '22', address: 'vm.test', timeoutMs: 50 }, surroundings);
    expect(result).toMatchObject({ status: 'unknown', reason: 'resolver-unavailable' });
  });

  it('calls a VM whose name does not exist unhealthy, and says what to do', async () => {
    const result = await look('tcp', { target: '22', address: 'gone.test' });
    expect(result).toMatchObject({ status: 'unhealthy', reason: 'name-not-found' });
    expect(result.message).toContain('The name gone.test does not resolve');
    expect(result.summary).toBe('tcp:22 name not found');
  });

  it('is not conclusive when the VM has no address', async () => {
    const result = await look('tcp', { target: '22', address: null });
    expect(result).toMatchObject({ status: 'unknown', reason: 'no-address' });
  });

  it('tries no other address when the first is cleared, and skips those that are refused', async () => {
    const port = await listening(createServer());
    const names = { 'vm.test': ['169.254.169.254', 'fe80::1', '127.0.0.1'] };
    const result = await look('tcp', { target: String(port), address: 'vm.test' }, { names });
    expect(result.status).toBe('healthy');
  });
});
