import { and, asc, eq, gt, isNull, ne, or, sql } from 'drizzle-orm';
import { v7 as uuidv7 } from 'uuid';
import { AppError } from '../../domain/app-error.ts';
import type { JsonValue } from '../../domain/json-value.ts';
import { type Author, recordAudit } from '../access/audit.ts';
import type { Database, Queryable, Transaction } from '../database.ts';
import { providerInstances } from '../schema/providers.ts';
import { vms } from '../schema/vms.ts';

export type ProviderInstanceRow = typeof providerInstances.$inferSelect;

/** What people set of an instance; `credentials` sealed. */
export type ProviderInstanceSettings = Pick<ProviderInstanceRow, 'name' | 'site' | 'config' | 'credentials'>;

/** An instance that a tenant may use: its own, and those made for every tenant. */
const usableBy = (tenantId: string) => or(eq(providerInstances.tenantId, tenantId), isNull(providerInstances.tenantId));

/** A page of the instances that a tenant may use, oldest first. */
export async function findProviderInstances(
  { orm }: Database,
  tenantId: string,
  afterId: string | null,
  limit: number,
): Promise<ProviderInstanceRow[]> {
  return orm
    .select()
    .from(providerInstances)
    .where(and(usableBy(tenantId), afterId === null ? undefined : gt(providerInstances.id, afterId)))
    .orderBy(asc(providerInstances.id))
    .limit(limit);
}

/** The instance of that id or name that a tenant may use, its own before those for every tenant; null when none. */
export async function findProviderInstance(
  { orm }: Pick<Database, 'orm'>,
  tenantId: string,
  idOrName: string,
): Promise<ProviderInstanceRow | null> {
  // Postgres refuses NUL in any text, and no name holds one
  if (idOrName.includes('\u0000')) return null;
  const [row] = await orm
    .select()
    .from(providerInstances)
    .where(
      and(
        usableBy(tenantId),
        or(sql`${providerInstances.id}::text = ${idOrName}`, eq(providerInstances.name, idOrName)),
      ),
    )
    .orderBy(sql`${providerInstances.tenantId} IS NULL`)
    .limit(1);
  return row ?? null;
}

/** By its id, whoever it belongs to; null when there is none. */
export async function findProviderInstanceById(db: Queryable, id: string): Promise<ProviderInstanceRow | null> {
  const [row] = await db.select().from(providerInstances).where(eq(providerInstances.id, id));
  return row ?? null;
}

/** Stores an instance of the author's tenant, or (`tenantId` null) for every tenant; null when the name is taken. */
export async function recordProviderInstance(
  { orm }: Database,
  settings: ProviderInstanceSettings & Pick<ProviderInstanceRow, 'kind' | 'tenantId'>,
  author: Author,
): Promise<ProviderInstanceRow | null> {
  return orm.transaction(async (tx) => {
    const now = new Date(author.nowMs);
    const [row] = await tx
      .insert(providerInstances)
      .values({ ...settings, id: uuidv7(), createdAt: now, updatedAt: now })
      .onConflictDoNothing()
      .returning();
    if (!row) return null;
    await recordAudit(tx, author, 'provider_created', detailsOf(row));
    return row;
  });
}

export type InstanceChanged =
  | { ok: true; row: ProviderInstanceRow }
  | { ok: false; reason: 'gone' | 'name-taken' }
  /** VMs are named by the site that they are at. */
  | { ok: false; reason: 'site-used'; vms: number };

/** Changes an instance, or says why it can't be. The site of one that VMs use stays. */
export async function recordProviderInstanceChanged(
  { orm }: Database,
  id: string,
  change: Partial<ProviderInstanceSettings>,
  author: Author,
): Promise<InstanceChanged> {
  return orm.transaction(async (tx): Promise<InstanceChanged> => {
    const [before] = await tx.select().from(providerInstances).where(eq(providerInstances.id, id)).for('update');
    if (!before) return { ok: false, reason: 'gone' };
    const using = await countUsing(tx, id);
    if (using > 0 && change.site !== undefined && change.site !== before.site) {
      return { ok: false, reason: 'site-used', vms: using };
    }
    const { name = before.name } = change;
    const sameTenant =
      before.tenantId === null ? isNull(providerInstances.tenantId) : eq(providerInstances.tenantId, before.tenantId);
    const taken = await tx.$count(
      providerInstances,
      and(sameTenant, eq(providerInstances.name, name), ne(providerInstances.id, id)),
    );
    if (taken > 0) return { ok: false, reason: 'name-taken' };
    const [row = before] = await tx
      .update(providerInstances)
      .set({ ...change, revision: before.revision + 1, updatedAt: new Date(author.nowMs) })
      .where(eq(providerInstances.id, id))
      .returning();
    await recordAudit(tx, author, 'provider_updated', { ...detailsOf(row), changed: Object.keys(change) });
    return { ok: true, row };
  });
}

async function countUsing(tx: Transaction, id: string): Promise<number> {
  return tx.$count(vms, and(eq(vms.providerInstanceId, id), isNull(vms.deletedAt)));
}

/** Removes an instance that no VM uses; answers how many VMs keep it from being removed. */
export async function recordProviderInstanceRemoved({ orm }: Database, id: string, author: Author): Promise<number> {
  return orm.transaction(async (tx) => {
    // the lock keeps a VM from being registered there meanwhile
    const [row] = await tx.select().from(providerInstances).where(eq(providerInstances.id, id)).for('update');
    if (!row) return 0;
    const using = await countUsing(tx, id);
    if (using > 0) return using;
    await tx.delete(providerInstances).where(eq(providerInstances.id, id));
    await recordAudit(tx, author, 'provider_removed', detailsOf(row));
    return 0;
  });
}

function detailsOf({ id, kind, name, site }: ProviderInstanceRow): { [key: string]: JsonValue } {
  return { providerId: id, kind, name, site };
}

/**
 * Keeps an instance from being removed until the transaction ends, for a VM that is being registered there.
 * @throws AppError `conflict` when it has been removed.
 */
export async function holdProviderInstance(tx: Queryable, id: string): Promise<void> {
  const held = await tx
    .select({ id: providerInstances.id })
    .from(providerInstances)
    .where(eq(providerInstances.id, id))
    .for('key share');
  if (held.length === 0) throw new AppError('conflict', 'The provider was removed meanwhile; choose another.');
}
