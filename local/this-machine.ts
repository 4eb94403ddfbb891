import { readFileSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { createLoadMeter } from './machine-load.ts';

const REPORT_EVERY_MS = 60_000;
const POLL_MS = 500;

const registered = z.object({ id: z.string(), agentToken: z.string() });
const page = z.object({
  vms: z.array(z.object({ id: z.string(), externalId: z.string().nullable(), health: z.string() })),
});
const agentToken = z.object({ token: z.string() });

export interface ThisMachine {
  /** Resolves with true once it is healthy, false when it isn't after a minute. */
  healthy: Promise<boolean>;
  stop(): void;
}

/**
 * Registers this machine as a VM, once, and reports its load as an agent would: over HTTP, with an agent's token. Throws
 * what the API objects to.
 */
export async function watchThisMachine(apiUrl: string, adminToken: string, dataDir: string): Promise<ThisMachine> {
  const externalId = `machine-${hostname()}`.toLowerCase();
  const tokenFile = join(dataDir, 'this-machine.token');
  const call = (path: string, init: { method?: string; token?: string; body?: unknown } = {}) =>
    request(`${apiUrl}${path}`, { ...init, token: init.token ?? adminToken });

  const known = await find();
  const token = known === undefined ? await register() : await tokenOf(known.id);
  const measure = createLoadMeter();
  const report = () => call('/api/health/report', { method: 'POST', token, body: measure() }).catch(() => undefined);
  await report();
  const timer = setInterval(() => void report(), REPORT_EVERY_MS);
  let stopped = false;
  return {
    healthy: becomesHealthy(),
    stop() {
      stopped = true;
      clearInterval(timer);
    },
  };

  async function find() {
    const { vms } = page.parse(await call(`/api/vms?q=${encodeURIComponent(hostname())}`));
    return vms.find((vm) => vm.externalId === externalId);
  }

  async function register(): Promise<string> {
    const body = { name: hostname(), externalId, address: '127.0.0.1', provider: { kind: 'local' } };
    const vm = registered.parse(await call('/api/vms', { method: 'POST', body }));
    writeFileSync(tokenFile, `${vm.agentToken}\n`, { mode: 0o600 });
    return vm.agentToken;
  }

  async function tokenOf(vmId: string): Promise<string> {
    try {
      return readFileSync(tokenFile, 'utf8').trim();
    } catch {
      const body = { role: 'AGENT', vmId, name: 'this machine' };
      const { token } = agentToken.parse(await call('/api/tokens', { method: 'POST', body }));
      writeFileSync(tokenFile, `${token}\n`, { mode: 0o600 });
      return token;
    }
  }

  async function becomesHealthy(): Promise<boolean> {
    const untilMs = Date.now() + 60_000;
    while (!stopped && Date.now() < untilMs) {
      if ((await find().catch(() => undefined))?.health === 'healthy') return true;
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
    return false;
  }
}

async function request(url: string, init: { method?: string; token: string; body?: unknown }): Promise<unknown> {
  const response = await fetch(url, {
    method: init.method ?? 'GET',
    headers: { authorization: `Bearer ${init.token}`, 'content-type': 'application/json' },
    ...(init.body === undefined ? {} : { body: JSON.stringify(init.body) }),
  });
  const text = await response.text();
  if (!response.ok)
    throw new Error(`${init.method ?? 'GET'} ${new URL(url).pathname}: HTTP ${response.status} ${text.slice(0, 500)}`);
  return JSON.parse(text);
}
