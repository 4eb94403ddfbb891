import { recordAttemptsReset } from '../../db/heals/attempts-reset.ts';
import { recordPolicyChanged } from '../../db/policies/policy-changes.ts';
import { healWorkflowId, vmWorkflowId } from '../../domain/ids.ts';
import { vmSignals } from '../../workflows/messages.ts';
import { type FakeSite, MISTYPED } from '../scenarios/world/fake-site.ts';
import { ease, hurt } from './hurt-and-ease.ts';
import { People } from './people.ts';
import type { Act, TimedFault } from './plan.ts';
import type { SimulatedWorld } from './simulated-world.ts';

/** What a play does to its world, and keeps for judging it. Ids are of VMs and their policies, by place. */
export class Performer {
  readonly people: People;
  /** VMs that were paused when nothing went wrong any more, and resumed then. */
  readonly pausedUntilQuiet: number[] = [];
  readonly #world: SimulatedWorld;
  readonly #vmIds: readonly string[];
  readonly #policyIds: readonly string[];

  constructor(world: SimulatedWorld, vmIds: readonly string[], policyIds: readonly string[]) {
    this.#world = world;
    this.#vmIds = vmIds;
    this.#policyIds = policyIds;
    this.people = new People(world, vmIds);
  }

  async begin(fault: TimedFault): Promise<void> {
    const { broken, link, calls, signals, runtime } = this.#world;
    switch (fault.kind) {
      case 'database-away':
        return link.cut();
      case 'database-silent':
        return link.silence(fault.answersOnly ? 'answers' : 'everything');
      case 'database-slow':
        broken.databaseMs = fault.ms;
        return;
      case 'temporal-away':
        broken.temporal = true;
        runtime.isReached = false;
        return;
      case 'unmanned':
        runtime.isManned = false;
        return;
      case 'clock-off':
        broken.clockMs = fault.ms;
        return;
      case 'frozen-after-move':
        broken.freezeAfterMoveMs = fault.ms;
        return;
      default:
    }
    const vmId = this.#vmIds[fault.vm] ?? '';
    const site = this.#siteOf(fault.vm);
    switch (fault.kind) {
      case 'answer-lost':
      case 'never-begun':
        return calls.lay(fault.activity, vmId, { kind: fault.kind });
      case 'answer-late':
      case 'frozen':
        return calls.lay(fault.activity, vmId, { kind: fault.kind, ms: fault.ms });
      case 'look-now':
        await signals.lookNow({ vmId, tenantId: 'default', site: 'main' });
        return;
      case 'renew':
        return this.people.signal(vmId, vmSignals.renew);
      case 'workflows-lost':
        return this.#loseWorkflows(vmId, fault.which);
      case 'reset-attempts':
        await recordAttemptsReset(this.#world.database, vmId, await this.people.author());
        await signals.attemptsReset(vmId);
        return;
      case 'edit-policy': {
        const { triggerAfterFailures } = fault;
        const id = this.#policyIds[fault.vm] ?? '';
        await recordPolicyChanged(this.#world.database, id, { triggerAfterFailures }, await this.people.author());
        return;
      }
      case 'edit-check':
        return this.people.editCheck(vmId, { intervalSeconds: fault.intervalSeconds });
      case 'mistype':
        return this.people.editCheck(vmId, { target: MISTYPED });
      case 'pause':
        return this.people.pause(fault);
      case 'stop-on-purpose':
        return this.people.stopOnPurpose(fault);
      case 'delete':
        return this.people.delete(fault);
      default:
        return hurt(site, fault);
    }
  }

  /** Ends what lasts. */
  async end(fault: TimedFault): Promise<void> {
    const { broken, runtime } = this.#world;
    switch (fault.kind) {
      case 'database-away':
      case 'database-silent':
        return this.#world.mendLink();
      case 'database-slow':
        broken.databaseMs = 0;
        return;
      case 'temporal-away':
        broken.temporal = false;
        runtime.isReached = true;
        return;
      case 'unmanned':
        runtime.isManned = true;
        return;
      case 'clock-off':
        broken.clockMs = 0;
        return;
      case 'mistype':
        return this.people.editCheck(this.#vmIds[fault.vm] ?? '', { target: '/' });
      case 'pause':
        await this.people.resume(fault);
        return;
      case 'stop-on-purpose':
        return this.people.start(fault);
      default:
        if ('vm' in fault) ease(this.#siteOf(fault.vm), fault);
    }
  }

  /** What people do when all is quiet. */
  async act({ vm, kind }: Act): Promise<void> {
    const vmId = this.#vmIds[vm] ?? '';
    if (kind === 'renew-and-look') await this.#world.signals.lookNow({ vmId, tenantId: 'default', site: 'main' });
    await this.people.signal(vmId, vmSignals.renew);
  }

  /** From now on nothing goes wrong. What hangs goes on hanging, until it is healed. */
  async calm(): Promise<void> {
    const { broken, calls, site, runtime } = this.#world;
    await this.#world.mendLink();
    runtime.isManned = runtime.isReached = true;
    calls.clear();
    Object.assign(broken, { temporal: false, clockMs: 0, freezeAfterMoveMs: 0, databaseMs: 0 });
    for (const vm of site.vms) {
      Object.assign(vm, {
        away: false,
        slowMs: 0,
        locked: false,
        manner: 'well',
        flapping: null,
        fpingLost: false,
        agentDied: false,
      });
      Object.assign(vm, { resetsHelp: true, storageBroken: false, bootMs: 7_000 });
    }
    // also pauses that were signalled, and whose end was not delivered
    for (const vm of this.#vmIds.keys()) {
      if (await this.people.resume({ vm })) this.pausedUntilQuiet.push(vm);
    }
  }

  async #loseWorkflows(vmId: string, which: 'vm' | 'heal' | 'both'): Promise<void> {
    const { runtime, database } = this.#world;
    const { rows } = await database.pool.query<{ incident: number }>(
      'SELECT incident FROM incidents WHERE vm_id = $1 AND closed_at IS NULL',
      [vmId],
    );
    const heals = rows.map(({ incident }) => healWorkflowId(vmId, incident));
    const ids = [...(which === 'heal' ? [] : [vmWorkflowId(vmId)]), ...(which === 'vm' ? [] : heals)];
    // the VM's may have ended with its VM
    for (const id of ids)
      await runtime.client.workflow
        .getHandle(id)
        .terminate()
        .catch(() => undefined);
  }

  #siteOf(vm: number): FakeSite {
    const site = this.#world.site.vms[vm];
    if (site === undefined) throw new Error(`no VM ${vm}`);
    return site;
  }
}
