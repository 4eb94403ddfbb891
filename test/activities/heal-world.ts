import { pino } from 'pino';
import type { Dependencies } from '../../activities/dependencies.ts';
import type { Database } from '../../db/database.ts';
import { recordIncident } from '../../db/heals/incidents.ts';
import { findOperationsOf, type OperationRow } from '../../db/heals/operations.ts';
import { createLookWriter } from '../../db/looks/look-writer.ts';
import { recordPolicy } from '../../db/policies/policy-changes.ts';
import { healSteps, incidents, policies } from '../../db/schema/heals.ts';
import type { Policy } from '../../domain/policy.ts';
import type { PowerAction, PowerState } from '../../domain/power.ts';
import type { WatchedVm } from '../../domain/watched.ts';
import type { StateAnswer } from '../../providers/provider.ts';
import { lookOf, NOON, readVm, registerVm, resultsOf } from '../db/watched.ts';
import { policy, probeResult, traitsOf } from '../domain/examples.ts';
import { setDatabaseTime } from '../support/database-time.ts';
import type { SeededCheck, SeededVm } from '../support/seed-vm.ts';

export const SECOND = 1_000;
export const MINUTE = 60_000;

/** A VM with an incident that its heal may ask about. */
export interface Patient {
  vmId: string;
  incident: number;
}

/** A worker of site main that heals VMs whose hypervisor says what the test has it say; its clock is the test's. */
export class HealWorld {
  readonly database: Database;
  readonly deps: Dependencies;
  power: StateAnswer = running('running');
  supports: PowerAction[] = ['reset', 'stop', 'start', 'resume'];
  #nowMs = NOON + SECOND;

  constructor(database: Database) {
    this.database = database;
    this.deps = {
      database,
      providers: {
        kinds: { get: () => ({ actions: new Set(this.supports) }) },
        reach: () => ({ ok: true, provider: { state: async () => this.power } }),
      },
      probes: new Map(['http', 'agent', 'certificate'].map((type) => [type, traitsOf(type)])),
      settings: { DEFIB_SITE: 'main', BOOT_GRACE_SECONDS: 180, PAUSED_GRACE_SECONDS: 120 },
      log: pino({ level: 'silent' }),
      now: () => this.#nowMs,
    } as unknown as Dependencies;
  }

  /** A world one second after noon, with the one policy and a VM that it wants healed. */
  static async withIllVm(database: Database): Promise<{ world: HealWorld; ill: Patient }> {
    const world = new HealWorld(database);
    await world.setTime(SECOND);
    await world.setPolicy();
    return { world, ill: await world.illVm() };
  }

  /** Moves its own clock and the database's, ms after noon. */
  async setTime(afterNoonMs: number): Promise<void> {
    this.#nowMs = NOON + afterNoonMs;
    await setDatabaseTime(this.database.pool, this.#nowMs);
  }

  /** The one policy there is: restarts after three failures, without a pause between attempts. */
  async setPolicy(given: Partial<Policy> = {}): Promise<void> {
    await this.database.orm.delete(policies);
    const { id: _, createdAtMs: __, ...values } = policy({ cooldownMinutes: 0, ...given });
    await recordPolicy(this.database, values, { tenantId: 'default', actor: 'a test', nowMs: NOON });
  }

  /** A VM that failed three looks in a row, the last at noon, with an open incident. Its checks are trusted. */
  async illVm(vm: SeededVm = {}, checks: SeededCheck[] = [{}]): Promise<Patient> {
    const trusted = checks.map((check) => ({ trusted: true, ...check }));
    const { vmId } = await registerVm(this.database, vm, trusted);
    for (const minute of [-2, -1, 0]) await this.look(vmId, minute * MINUTE, 'unhealthy');
    return { vmId, incident: await this.openIncident(vmId) };
  }

  async openIncident(vmId: string): Promise<number> {
    const incident = await recordIncident(this.database, vmId, NOON);
    if (incident === null) throw new Error(`VM ${vmId} is paused`);
    return incident;
  }

  /** Stores a look of all checks, or of those of one type, that found this. */
  async look(
    vmId: string,
    afterNoonMs: number,
    found: 'healthy' | 'unhealthy' | 'unknown',
    checkType?: string,
  ): Promise<void> {
    const vm = await this.read(vmId);
    const seen = { ...vm, checks: vm.checks.filter((check) => (checkType ?? check.checkType) === check.checkType) };
    const results = resultsOf(seen, NOON + afterNoonMs, probeResult(found));
    const stored = await createLookWriter(this.database.pool).write(lookOf(vm, results));
    if (stored !== 'stored') throw new Error(`the look was ${stored}`);
  }

  read(vmId: string): Promise<WatchedVm> {
    return readVm(this.database.pool, vmId);
  }

  operations({ vmId, incident }: Patient): Promise<OperationRow[]> {
    return findOperationsOf(this.database.orm, vmId, incident);
  }

  async steps({ vmId }: Patient) {
    return (await this.database.orm.select().from(healSteps).orderBy(healSteps.step)).filter(
      (step) => step.vmId === vmId,
    );
  }

  async incident({ vmId, incident }: Patient) {
    const all = await this.database.orm.select().from(incidents);
    return all.find((one) => one.vmId === vmId && one.incident === incident)!;
  }
}

/** A hypervisor's answer. */
export function running(power: PowerState, detail: string = power): StateAnswer {
  return { ok: true, state: { power, detail } };
}
