import { readFileSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { newVmAnswer, vmListAnswer } from '../api/schemas/vms.ts';
import { createLoadMeter } from './machine-load.ts';
import { createRest } from './rest.ts';
import { until } from './until.ts';

const REPORT_EVERY_MS = 60_000;
const POLL_MS = 500;
const HEALTHY_WITHIN_MS = 60_000;

const newToken = z.object({ token: z.string() });

export interface ThisMachine {
  /** Resolves with true once it is healthy, false when it isn't after a minute. */
  healthy: Promise<boolean>;
  stop(): void;
}

/**
 * Registers this machine as a VM, once, and reports its load as an agent would: over HTTP, with an agent's token.
 * @throws what the API objects to.
 */
export async function watchThisMachine(apiUrl: string, adminToken: string, dataDir: string): Promise<ThisMachine> {
  const externalId = `machine-${hostname()}`.toLowerCase();
  const tokenFile = join(dataDir, 'this-machine.token');
  const admin = createRest(apiUrl, adminToken);

  const known = await find();
  const token = known === undefined ? await register() : await tokenOf(known.id);
  const agent = createRest(apiUrl, token);
  const measure = createLoadMeter();
  const report = () => agent.post('/api/health/report', measure(), z.unknown()).catch(() => undefined);
  await report();
  const timer = setInterval(() => void report(), REPORT_EVERY_MS);
  let stopped = false;
  const isHealthy = async () => stopped || (await find())?.health === 'healthy';
  return {
    healthy: until(() => isHealthy().catch(() => false), { everyMs: POLL_MS, limitMs: HEALTHY_WITHIN_MS }).then(
      () => !stopped,
      () => false,
    ),
    stop() {
      stopped = true;
      clearInterval(timer);
    },
  };

  async function find() {
    const { vms } = await admin.get(`/api/vms?q=${encodeURIComponent(hostname())}`, vmListAnswer);
    return vms.find((vm) => vm.externalId === externalId);
  }

  async function register(): Promise<string> {
    // there is one where this machine had another name, or where several share a database
    const others = (await admin.get('/api/vms?provider=local', vmListAnswer)).vms;
    const provider = { kind: others.length === 0 ? 'local' : 'none' };
    const vm = { name: hostname(), externalId, address: '127.0.0.1', provider };
    return keep((await admin.post('/api/vms', vm, newVmAnswer)).body.agentToken);
  }

  async function tokenOf(vmId: string): Promise<string> {
    try {
      return readFileSync(tokenFile, 'utf8').trim();
    } catch {
      const wanted = { role: 'AGENT', vmId, name: 'this machine' };
      return keep((await admin.post('/api/tokens', wanted, newToken)).body.token);
    }
  }

  function keep(secret: string): string {
    writeFileSync(tokenFile, `${secret}\n`, { mode: 0o600 });
    return secret;
  }
}
