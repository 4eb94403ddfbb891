import { findCannotTell, findUnwatchedSites } from '../db/fleet/fleet-counts.ts';
import { findUnprovenChecks, type UnprovenCheck } from '../db/fleet/unproven-checks.ts';
import { findNeedingAPerson, findStorageFailures } from '../db/heals/needing-people.ts';
import { closeClockNotices } from './clock-notices.ts';
import type { Dependencies } from './dependencies.ts';
import { noticesOf } from './notices.ts';

type Needed = Pick<Dependencies, 'database' | 'log' | 'now'>;

/** Opens the notices about the fleet, and closes those that no longer apply: one query over all VMs for each kind. */
export async function noticeFleet(deps: Needed): Promise<void> {
  await noticeUnwatchedSites(deps);
  await noticeCannotTell(deps);
  await noticeUnprovenChecks(deps);
  await noticeNeedingAPerson(deps);
  await noticeStorageFailures(deps);
  await closeClockNotices(deps);
}

/** One notice per site, however many of its VMs nobody watches. */
async function noticeUnwatchedSites(deps: Needed): Promise<void> {
  const unwatched = await findUnwatchedSites(deps.database.pool, deps.now());
  const found = unwatched.map(({ site, count }) => ({
    subject: `site/${site}`,
    tenantId: null,
    vmId: null,
    message: `Nobody looks at ${count} VMs of site ${site}: see that a worker for it runs and that their looks are not paused.`,
  }));
  await noticesOf(deps, 'site-unwatched', found);
}

/** One notice per site and reason, however many VMs have no check that can tell how they are. */
async function noticeCannotTell(deps: Needed): Promise<void> {
  const unknown = await findCannotTell(deps.database.pool, deps.now());
  const found = unknown.map(({ site, reason, count, message }) => ({
    subject: `site/${site}/${reason}`,
    tenantId: null,
    vmId: null,
    message: `No check of ${count} VMs of site ${site} can tell how they are (${reason}), so their health is unknown and they are not healed. One check says: ${message ?? 'nothing'}`,
  }));
  await noticesOf(deps, 'cannot-tell', found);
}

/**
 * One notice per check that has reached its failure threshold and has never succeeded; it ends when the check succeeds or is
 * gone.
 */
async function noticeUnprovenChecks(deps: Needed): Promise<void> {
  const unproven = await findUnprovenChecks(deps.database.pool);
  const found = unproven.map((check) => ({
    subject: `check/${check.checkId}`,
    tenantId: check.tenantId,
    vmId: check.vmId,
    message: `${named(check)} has never succeeded: is its target right? Until it has, its failures are no reason for a power action. It says: ${check.message ?? 'nothing'}`,
  }));
  await noticesOf(deps, 'unproven-check', found);
}

/** How long a VM may be off, saved, migrated or the like, or its hypervisor silent, before people are told. */
const PATIENCE_MS = 60 * 60_000;

/** One notice per ill VM whose heal can try nothing more; it ends when the heal can, or when the VM is well. */
async function noticeNeedingAPerson(deps: Needed): Promise<void> {
  const found = (await findNeedingAPerson(deps.database.pool, deps.now() - PATIENCE_MS)).map(
    ({ vmId, vmName, tenantId, sentence }) => ({
      subject: `vm/${vmId}`,
      tenantId,
      vmId,
      message: `VM "${vmName}" is ill and is not healed any more: ${sentence}`,
    }),
  );
  await noticesOf(deps, 'needs-a-person', found);
}

/** One notice per storage, however many VMs it has stopped. */
async function noticeStorageFailures(deps: Needed): Promise<void> {
  const found = (await findStorageFailures(deps.database.pool)).map(({ site, host, count, vmNames }) => {
    const where = host === null ? `site ${site}` : `host ${host} (site ${site})`;
    const names = `${vmNames.join(', ')}${count > vmNames.length ? ', …' : ''}`;
    return {
      subject: host === null ? `site/${site}` : `site/${site}/host/${host}`,
      tenantId: null,
      vmId: null,
      message: `The storage of ${where} failed: ${count} VMs have stopped (${names}). They are not reset; they are resumed once it answers.`,
    };
  });
  await noticesOf(deps, 'storage-failed', found);
}

function named({ name, checkType, vmName }: UnprovenCheck): string {
  return `The ${name === '' ? '' : `"${name}" `}${checkType} check of VM "${vmName}"`;
}
