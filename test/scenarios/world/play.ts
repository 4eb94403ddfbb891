import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { eq } from 'drizzle-orm';
import { recordCheck } from '../../../db/fleet/check-settings.ts';
import { findVm } from '../../../db/fleet/find-vms.ts';
import { type CommittedVm, type ReadVm, recordVmChanged } from '../../../db/fleet/vm-changes.ts';
import { checkConfigs } from '../../../db/schema/checks.ts';
import { policies } from '../../../db/schema/heals.ts';
import { listeningSpans, vmAgents, vms } from '../../../db/schema/vms.ts';
import { tickAtOrBefore } from '../../../domain/grid.ts';
import { CORE_TASK_QUEUE, vmWorkflowId } from '../../../domain/ids.ts';
import type { PolicyAction } from '../../../domain/policy.ts';
import type { PowerState } from '../../../domain/power.ts';
import { vmSignals, WORKFLOW } from '../../../workflows/messages.ts';
import { setDatabaseTime } from '../../support/database-time.ts';
import { seedVm } from '../../support/seed-vm.ts';
import { type Manner, MISTYPED } from './fake-site.ts';
import { writeLog } from './log.ts';
import type { ScenarioWorld } from './scenario-world.ts';
import type { Line, Script } from './script.ts';

/** The same in every scenario, so that its ticks are. */
export const VM_ID = '5ce7a210-0000-4000-8000-000000000000';
const POLICY_ID = '5ce7a210-0000-4000-8000-00000000b01c';
const GRID_MS = 3_600_000;
const DAY_MS = 86_400_000;

/** Plays a script from beginning to end and answers what happened. */
export async function play(env: TestWorkflowEnvironment, world: ScenarioWorld, script: Script): Promise<string> {
  // begins on a tick that all intervals share
  const beganAtMs = tickAtOrBefore(VM_ID, GRID_MS, await env.currentTimeMs()) + GRID_MS;
  await env.sleep(beganAtMs - (await env.currentTimeMs()));
  await register(world, script, beganAtMs);
  const workflow = env.client.workflow;
  await workflow.start(WORKFLOW.vmHealth, {
    workflowId: vmWorkflowId(VM_ID),
    taskQueue: CORE_TASK_QUEUE,
    args: [{ vmId: VM_ID, tenantId: 'default', site: 'main' }],
  });
  const said: { atMs: number; rank: number; text: string }[] = [];
  for (const line of script.lines) {
    await sleepUntil(env, beganAtMs + line.atMs);
    const told = Object.entries(line.settings).map(([name, value]) => ` ${name}=${value}`);
    said.push({ atMs: beganAtMs + line.atMs, rank: 0, text: `script: ${line.verb}${told.join('')}` });
    const answer = await perform(env, world, line, beganAtMs + line.atMs);
    if (answer) said.push({ atMs: beganAtMs + line.atMs, rank: 10, text: answer });
  }
  await sleepUntil(env, beganAtMs + script.endMs);
  return writeLog(world.database.pool, world.site, beganAtMs, said);
}

async function sleepUntil(env: TestWorkflowEnvironment, atMs: number): Promise<void> {
  const leftMs = atMs - (await env.currentTimeMs());
  if (leftMs > 0) await env.sleep(leftMs);
}

async function register({ database }: ScenarioWorld, script: Script, beganAtMs: number): Promise<void> {
  const now = new Date(beganAtMs);
  const vm = {
    id: VM_ID,
    name: 'patient',
    provider: { kind: 'qemu' as const, qmpSocket: '/fake' },
    reportIntervalSeconds: 30,
    announcedVersion: 1,
    createdAt: now,
  };
  const given = script.checks.length > 0 ? script.checks : [{ type: 'http' }];
  const checks = given.map((check: Record<string, string>, index) => {
    const setting = (name: string, fallback: number): number => Number(check[name] ?? fallback);
    const checkType = check['type'] ?? 'http';
    const isAgent = checkType === 'agent';
    return {
      id: `5ce7a210-0000-4000-8000-0000000c0de${index}`,
      checkType,
      name: check['name'] ?? '',
      target: checkType !== 'http' ? null : check['target'] === 'mistyped' ? MISTYPED : '/',
      trusted: check['trusted'] === 'yes',
      intervalSeconds: setting('interval', 10),
      retryIntervalSeconds: check['retry'] === undefined ? null : Number(check['retry']),
      timeoutSeconds: setting('timeout', 2),
      failureThreshold: setting('failures', 2),
      successThreshold: setting('successes', 1),
      staleAfterSeconds: isAgent ? setting('stale', 60) : null,
    };
  });
  await seedVm(database, vm, checks);
  await database.orm
    .insert(listeningSpans)
    .values({ fromAt: new Date(beganAtMs - DAY_MS), untilAt: new Date(beganAtMs + 30 * DAY_MS) });
  if (Object.keys(script.policy).length > 0) await storePolicy({ database }, script.policy, now);
}

async function storePolicy({ database }: Pick<ScenarioWorld, 'database'>, given: Record<string, string>, now: Date) {
  const number = (name: string, fallback: number): number => Number(given[name] ?? fallback);
  const row = {
    tenantId: 'default',
    name: 'policy',
    enabled: true,
    triggerAfterFailures: number('trigger', 2),
    action: (given['action'] ?? 'restart') as PolicyAction,
    cooldownMinutes: number('cooldown', 1),
    maxAttempts: number('attempts', 5),
    attemptWindowHours: number('window', 24),
    notifyOnTrigger: true,
    escalateAfterAttempts: given['escalate'] === undefined ? null : Number(given['escalate']),
    escalationAction: 'notify_only' as const,
    verifySeconds: number('verify', 60),
    unhealthyForSeconds: given['unhealthyFor'] === undefined ? null : Number(given['unhealthyFor']),
    updatedAt: now,
  };
  await database.orm
    .insert(policies)
    .values({ id: POLICY_ID, ...row, createdAt: now })
    .onConflictDoUpdate({ target: policies.id, set: row });
}

/** Does what a line says; what it answers is written to the log. */
async function perform(
  env: TestWorkflowEnvironment,
  world: ScenarioWorld,
  line: Line,
  nowMs: number,
): Promise<string | undefined | void> {
  const { site, database } = world;
  const vm = env.client.workflow.getHandle(vmWorkflowId(VM_ID));
  const ofVm = eq(vms.id, VM_ID);
  const now = new Date(nowMs);
  switch (line.verb) {
    case 'hang':
      site.hung = true;
      site.hangsSlowly = line.settings['slowly'] === 'yes';
      return;
    case 'recover':
      site.hung = false;
      return;
    case 'resets-do-not-help':
      site.resetsHelp = false;
      return;
    case 'resets-help':
      site.resetsHelp = true;
      return;
    case 'boots':
      site.bootMs = Number(line.settings['seconds']) * 1000;
      return;
    case 'certificate-expires':
      site.expired = true;
      return;
    case 'flap':
      site.flapping = { well: Number(line.settings['well']), badly: Number(line.settings['badly']) };
      return;
    case 'settle':
      site.flapping = null;
      return;
    case 'refuses-commands':
      site.locked = true;
      return;
    case 'takes-commands':
      site.locked = false;
      return;
    case 'hypervisor-says':
      site.power = line.settings['state'] as PowerState;
      return;
    case 'storage-breaks':
      site.storageBroken = true;
      site.power = 'storage-failed';
      return;
    case 'storage-mended':
      site.storageBroken = false;
      return;
    case 'provider-away':
      site.away = true;
      return;
    case 'provider-back':
      site.away = false;
      return;
    case 'next-power':
      site.manner = line.settings['goes'] as Manner;
      return;
    case 'database-away':
      world.link.cut();
      return;
    case 'database-back':
      world.link.mend();
      return;
    case 'lose-looks':
      world.lostLooks = Number(line.settings['count']);
      return;
    case 'site-unmanned':
      world.unmanned = true;
      return;
    case 'site-manned':
      world.unmanned = false;
      return;
    case 'report': {
      const heartbeat = { vmId: VM_ID, lastHeartbeatAt: now };
      await database.orm
        .insert(vmAgents)
        .values(heartbeat)
        .onConflictDoUpdate({ target: vmAgents.vmId, set: heartbeat });
      return;
    }
    case 'policy':
      return storePolicy(world, line.settings, now);
    case 'check': {
      const intervalSeconds = Number(line.settings['interval']);
      await database.orm.update(checkConfigs).set({ intervalSeconds }).where(eq(checkConfigs.vmId, VM_ID));
      await database.orm.update(vms).set({ settingsVersion: 2, announcedVersion: 2 }).where(ofVm);
      return vm.signal(vmSignals.settingsChanged, { version: 2, site: 'main', lookSooner: true });
    }
    case 'correct-target':
      return correctTarget(env, world, nowMs);
    case 'fping-lost':
      site.fpingLost = true;
      return;
    case 'fping-back':
      site.fpingLost = false;
      return;
    case 'read': {
      const read = await findVm(database.pool, 'default', VM_ID, nowMs);
      return `reads: ${read?.status}${read?.unknownReason ? ` (${read.unknownReason})` : ''}`;
    }
    case 'notice':
      return world.noticeFleet();
    case 'delete':
      await database.orm.update(vms).set({ deletedAt: now }).where(ofVm);
      return vm.signal(vmSignals.retire);
    case 'stop-on-purpose':
      await database.orm.update(vms).set({ stoppedOnPurposeAt: now }).where(ofVm);
      return;
    case 'start':
      site.boot();
      return start(env, world, nowMs);
    case 'pause':
      return vm.signal(vmSignals.pause, { reason: 'by the script' });
    case 'resume':
      return vm.signal(vmSignals.resume);
    case 'reset-attempts':
      await database.orm.update(vms).set({ attemptsResetAt: now }).where(ofVm);
      return vm.signal(vmSignals.attemptsReset);
    default:
      throw new Error(`faults: there is no "${line.verb}"`);
  }
}

/** Corrects a check's target, as the API does. */
async function correctTarget(env: TestWorkflowEnvironment, world: ScenarioWorld, nowMs: number): Promise<void> {
  const [stored] = await world.database.orm.select().from(checkConfigs).where(eq(checkConfigs.target, MISTYPED));
  if (!stored) throw new Error('faults: no check has a mistyped target');
  const { id: _, vmId: __, createdAt: ___, updatedAt: ____, series: _____, ...check } = stored;
  const right = { ...check, target: '/' };
  const aims = { before: 'mistyped', after: 'right' };
  await changeAndAnnounce(env, world, (read) => recordCheck(world.database, read, right, aims, authorAt(nowMs)));
}

/** Starts a VM that was stopped on purpose, as the API does. */
async function start(env: TestWorkflowEnvironment, world: ScenarioWorld, nowMs: number): Promise<void> {
  await setDatabaseTime(world.database.pool, nowMs);
  await changeAndAnnounce(env, world, async (read) => {
    const change = { stoppedOnPurposeAt: null };
    const changed = await recordVmChanged(world.database, read, change, [], authorAt(nowMs));
    return changed.ok ? changed.vm : null;
  });
}

const authorAt = (nowMs: number) => ({ tenantId: 'default', actor: 'the script', nowMs });

async function changeAndAnnounce(
  env: TestWorkflowEnvironment,
  { database }: ScenarioWorld,
  change: (read: ReadVm) => Promise<CommittedVm | null>,
): Promise<void> {
  const [vm] = await database.orm.select().from(vms).where(eq(vms.id, VM_ID));
  const committed = vm && (await change({ vmId: VM_ID, version: vm.settingsVersion }));
  if (!committed) throw new Error('faults: the VM was changed meanwhile');
  const news = { version: committed.version, site: 'main', lookSooner: true };
  await env.client.workflow.getHandle(vmWorkflowId(VM_ID)).signal(vmSignals.settingsChanged, news);
}
