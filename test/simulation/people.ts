import { eq } from 'drizzle-orm';
import type { Author } from '../../db/access/audit.ts';
import { recordCheck } from '../../db/fleet/check-settings.ts';
import { recordPaused, recordResumed } from '../../db/fleet/pause.ts';
import { type CommittedVm, recordAnnounced, recordVmChanged, recordVmDeleted } from '../../db/fleet/vm-changes.ts';
import { checkConfigs } from '../../db/schema/checks.ts';
import { operations } from '../../db/schema/heals.ts';
import { vms } from '../../db/schema/vms.ts';
import { vmWorkflowId } from '../../domain/ids.ts';
import { vmSignals } from '../../workflows/messages.ts';
import type { FakeSite } from '../scenarios/world/fake-site.ts';
import type { Fault } from './plan.ts';
import type { SimulatedWorld } from './simulated-world.ts';

/** From this moment of real time on nothing may be sent to a VM, but for what was being sent already. */
export interface Ban {
  vm: number;
  why: 'paused' | 'stopped on purpose' | 'deleted';
  fromMs: number;
  /** Null = for good. */
  untilMs: number | null;
  /** The same by the play's time. */
  fromAtMs: number;
  untilAtMs: number | null;
  /** Operations that had moved to `sent` before. */
  sentBefore: ReadonlySet<string>;
}

/** Somebody started a VM that was stopped on purpose. */
export interface Start {
  vm: number;
  /** By the play's time. */
  atMs: number;
}

/** What people do to their VMs, as the API does it, and what Defib may not do from then on. VMs are named by their place. */
export class People {
  readonly bans: Ban[] = [];
  readonly starts: Start[] = [];
  readonly #world: SimulatedWorld;
  readonly #vmIds: readonly string[];

  constructor(world: SimulatedWorld, vmIds: readonly string[]) {
    this.#world = world;
    this.#vmIds = vmIds;
    // as one by the API, a pause that was signalled holds from when it is stored
    world.calls.pauseStored = async (vmId, reason) => {
      const vm = vmIds.indexOf(vmId);
      await (reason === null ? this.#lift(vm, 'paused') : this.#ban(vm, 'paused'));
    };
  }

  async pause({ vm, by }: Fault & { kind: 'pause' }): Promise<void> {
    const vmId = this.#vmIds[vm] ?? '';
    if (by === 'signal') return this.signal(vmId, vmSignals.pause, { reason: 'simulated' });
    const paused = await recordPaused(this.#world.database, vmId, 'simulated', await this.author());
    if (paused === null) return;
    await this.#ban(vm, 'paused');
    await this.#announce(paused);
  }

  /** True when it was paused. */
  async resume({ vm }: { vm: number }): Promise<boolean> {
    const vmId = this.#vmIds[vm] ?? '';
    await this.#lift(vm, 'paused');
    const resumed = await recordResumed(this.#world.database, vmId, await this.author());
    const wasPaused = resumed !== null && resumed !== 'not-paused';
    if (wasPaused) await this.#announce(resumed);
    // a pause that was signalled, and not stored yet
    await this.signal(vmId, vmSignals.resume);
    return wasPaused;
  }

  async stopOnPurpose({ vm }: Fault & { kind: 'stop-on-purpose' }): Promise<void> {
    const changed = await this.#change(vm, { stoppedOnPurposeAt: new Date(await this.#world.now()) });
    if (!changed) return;
    await this.#ban(vm, 'stopped on purpose');
    this.#siteOf(vm).power = 'off';
  }

  async start({ vm }: { vm: number }): Promise<void> {
    await this.#lift(vm, 'stopped on purpose');
    this.#siteOf(vm).boot();
    const atMs = await this.#world.now();
    const wasStopped = await this.#isStopped(vm);
    if ((await this.#change(vm, { stoppedOnPurposeAt: null })) && wasStopped) this.starts.push({ vm, atMs });
  }

  async #isStopped(vm: number): Promise<boolean> {
    const [row] = await this.#world.database.orm
      .select({ at: vms.stoppedOnPurposeAt })
      .from(vms)
      .where(eq(vms.id, this.#vmIds[vm] ?? ''));
    return row?.at != null;
  }

  async delete({ vm }: { vm: number }): Promise<void> {
    const vmId = this.#vmIds[vm] ?? '';
    const deleted = await recordVmDeleted(this.#world.database, { vmId, version: null }, await this.author());
    if (deleted === null) return;
    await this.#ban(vm, 'deleted');
    const delivery = await this.#world.signals.retire(vmId);
    if (delivery.ok) await recordAnnounced(this.#world.database.pool, vmId, deleted.version);
  }

  async #change(vm: number, change: { stoppedOnPurposeAt: Date | null }): Promise<boolean> {
    const vmId = this.#vmIds[vm] ?? '';
    for (;;) {
      const read = await this.#read(vmId);
      if (read === null) return false;
      const changed = await recordVmChanged(this.#world.database, read, change, [], await this.author());
      if (!changed.ok) throw new Error('a purpose conflicts with nothing');
      // null = changed meanwhile, by a heal perhaps: read again
      if (changed.vm === null) continue;
      await this.#announce(changed.vm);
      return true;
    }
  }

  /** Changes the VM's http check as the API does. */
  async editCheck(vmId: string, change: { target?: string; intervalSeconds?: number }): Promise<void> {
    const { database } = this.#world;
    const read = await this.#read(vmId);
    const stored = await database.orm.select().from(checkConfigs).where(eq(checkConfigs.vmId, vmId));
    const http = stored.find(({ checkType }) => checkType === 'http');
    if (read === null || http === undefined) return;
    const { id: _, vmId: __, createdAt: ___, updatedAt: ____, series: _____, ...check } = http;
    const changed = { ...check, ...change };
    const aims = { before: check.target ?? '', after: changed.target ?? '' };
    const committed = await recordCheck(database, read, changed, aims, await this.author());
    if (committed !== null) await this.#announce(committed);
  }

  async #announce(vm: CommittedVm): Promise<void> {
    const delivery = await this.#world.signals.announce({ ...vm, lookSooner: true });
    if (delivery.ok) await recordAnnounced(this.#world.database.pool, vm.vmId, vm.version);
  }

  async signal(vmId: string, signal: (typeof vmSignals)['pause' | 'resume' | 'renew'], request?: { reason: string }) {
    if (this.#world.broken.temporal) return;
    const handle = this.#world.runtime.client.workflow.getHandle(vmWorkflowId(vmId));
    // its workflow may have ended with its VM
    await handle.signal(signal.name, ...(request ? [request] : [])).catch(() => undefined);
  }

  async #ban(vm: number, why: Ban['why']): Promise<void> {
    const rows = await this.#world.database.orm
      .select({ id: operations.id, sentAt: operations.sentAt })
      .from(operations)
      .where(eq(operations.vmId, this.#vmIds[vm] ?? ''));
    const sentBefore = new Set(rows.flatMap(({ id, sentAt }) => (sentAt === null ? [] : [id])));
    const fromAtMs = await this.#world.now();
    this.bans.push({ vm, why, fromMs: performance.now(), untilMs: null, fromAtMs, untilAtMs: null, sentBefore });
  }

  async #lift(vm: number, why: Ban['why']): Promise<void> {
    const untilMs = performance.now();
    const untilAtMs = await this.#world.now();
    for (const ban of this.bans) {
      if (ban.vm === vm && ban.why === why && ban.untilMs === null) Object.assign(ban, { untilMs, untilAtMs });
    }
  }

  async #read(vmId: string): Promise<{ vmId: string; version: number } | null> {
    const [row] = await this.#world.database.orm.select().from(vms).where(eq(vms.id, vmId));
    return row && row.deletedAt === null ? { vmId, version: row.settingsVersion } : null;
  }

  async author(): Promise<Author> {
    return { tenantId: 'default', actor: 'the play', nowMs: await this.#world.now() };
  }

  #siteOf(vm: number): FakeSite {
    const site = this.#world.site.vms[vm];
    if (site === undefined) throw new Error(`no VM ${vm}`);
    return site;
  }
}
