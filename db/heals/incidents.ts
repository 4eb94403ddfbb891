import { and, eq, isNull, max } from 'drizzle-orm';
import type { PowerReading } from '../../domain/power.ts';
import type { Database, Queryable } from '../database.ts';
import { incidents } from '../schema/heals.ts';
import { vms } from '../schema/vms.ts';

/** Opens an incident, or answers the one that is open already; null for a paused VM. Throws when there is no such VM. */
export async function recordIncident(database: Database, vmId: string, nowMs: number): Promise<number | null> {
  return database.orm.transaction(async (tx) => {
    // the VM's row is locked, so that two callers can't both find no open incident
    const [vm] = await tx.select().from(vms).where(eq(vms.id, vmId)).for('update');
    if (!vm) throw new Error(`no VM ${vmId}`);
    if (vm.pausedAt !== null) return null;
    const open = await findOpenIncident(tx, vmId);
    if (open !== null) return open;
    const [last] = await tx
      .select({ incident: max(incidents.incident) })
      .from(incidents)
      .where(eq(incidents.vmId, vmId));
    const incident = (last?.incident ?? 0) + 1;
    await tx.insert(incidents).values({ vmId, incident, tenantId: vm.tenantId, openedAt: new Date(nowMs) });
    return incident;
  });
}

/** The number of a VM's open incident; null when none is open. */
export async function findOpenIncident(tx: Queryable, vmId: string): Promise<number | null> {
  const [open] = await tx
    .select({ incident: incidents.incident })
    .from(incidents)
    .where(and(eq(incidents.vmId, vmId), isNull(incidents.closedAt)));
  return open?.incident ?? null;
}

export type IncidentRow = typeof incidents.$inferSelect;

/** Locks the incident for the transaction: decisions about it come one after the other. */
export async function findIncidentForUpdate(
  tx: Queryable,
  vmId: string,
  incident: number,
): Promise<IncidentRow | null> {
  const [row] = await tx
    .select()
    .from(incidents)
    .where(and(eq(incidents.vmId, vmId), eq(incidents.incident, incident)))
    .for('update');
  return row ?? null;
}

/** The VM's state at its hypervisor, as the incident's heal last read it; null before the first answer. */
export function powerReadingOf({ powerState, powerStateSince, powerStateBefore }: IncidentRow): PowerReading | null {
  if (powerState === null || powerStateSince === null) return null;
  return { state: powerState, sinceMs: powerStateSince.getTime(), before: powerStateBefore };
}

/** Records the VM's state at its hypervisor, as the heal just read it. */
export async function recordPowerReading(
  tx: Queryable,
  vmId: string,
  incident: number,
  reading: PowerReading | null,
): Promise<void> {
  if (reading === null) return;
  await tx
    .update(incidents)
    .set({
      powerState: reading.state,
      powerStateSince: new Date(reading.sinceMs),
      powerStateBefore: reading.before,
    })
    .where(and(eq(incidents.vmId, vmId), eq(incidents.incident, incident)));
}

/** Closes an incident, with what became of it; one that is closed keeps its outcome. */
export async function recordIncidentClosed(
  tx: Queryable,
  vmId: string,
  incident: number,
  outcome: string,
  nowMs: number,
): Promise<void> {
  await tx
    .update(incidents)
    .set({ closedAt: new Date(nowMs), outcome })
    .where(and(eq(incidents.vmId, vmId), eq(incidents.incident, incident), isNull(incidents.closedAt)));
}
