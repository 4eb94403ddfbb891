import { randomUUID } from 'node:crypto';
import type { Database } from '../../db/database.ts';
import { checkConfigs } from '../../db/schema/checks.ts';
import { vmStatus, vms } from '../../db/schema/vms.ts';

/** The columns of a VM that a test sets; the others get usual values. */
export type SeededVm = Partial<typeof vms.$inferInsert>;
/** The columns of a check that a test sets. */
export type SeededCheck = Partial<typeof checkConfigs.$inferInsert>;

/** Long before whatever a test looks at. */
const CREATED = new Date('2026-11-21T12:00:00Z');

/**
 * Stores a VM with its checks, not looked at yet, without the API: so a test may set what no registration can. What it
 * doesn't say is that of a VM on the provider `local` with http checks. Answers its id.
 */
export async function seedVm(
  database: Database,
  vm: SeededVm = {},
  checks: readonly SeededCheck[] = [{}],
): Promise<string> {
  const { id = randomUUID(), createdAt = CREATED } = vm;
  const stamps = { createdAt, updatedAt: createdAt };
  const usual = { tenantId: 'default', name: 'one', site: 'main', reportIntervalSeconds: 60 };
  await database.orm.insert(vms).values({ ...usual, provider: { kind: 'none' }, ...stamps, ...vm, id });
  const unseen = { consecutiveFailures: 0, consecutiveSuccesses: 0, transitionSeq: 0, lookSeq: 0 };
  await database.orm.insert(vmStatus).values({ vmId: id, status: 'unknown', reasons: [], ...unseen });
  for (const [index, check] of checks.entries()) {
    await database.orm.insert(checkConfigs).values({
      id: randomUUID(),
      vmId: id,
      checkType: 'http',
      name: index === 0 ? '' : `number ${index}`,
      intervalSeconds: 60,
      failureThreshold: 3,
      successThreshold: 1,
      options: {},
      enabled: true,
      ...stamps,
      ...check,
    });
  }
  return id;
}
