import { findUnwatchedSites } from '../db/fleet/fleet-counts.ts';
import { findUnprovenChecks, type UnprovenCheck } from '../db/fleet/unproven-checks.ts';
import type { Dependencies } from './dependencies.ts';
import { noticesOf } from './notices.ts';

type Needed = Pick<Dependencies, 'database' | 'log' | 'now'>;

/** Tells people what is so of the fleet, and that it is over: one query over all VMs for each kind of notice. */
export async function noticeFleet(deps: Needed): Promise<void> {
  await noticeUnwatchedSites(deps);
  await noticeUnprovenChecks(deps);
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

/** A check that fails as often as it takes and has never succeeded: until it has, or is gone. */
async function noticeUnprovenChecks(deps: Needed): Promise<void> {
  const unproven = await findUnprovenChecks(deps.database.pool);
  const found = unproven.map((check) => ({
    subject: `check/${check.checkId}`,
    tenantId: check.tenantId,
    vmId: check.vmId,
    message: `${named(check)} has never succeeded: is its target right? Its failures heal nothing until it has. It says: ${check.message ?? 'nothing'}`,
  }));
  await noticesOf(deps, 'unproven-check', found);
}

function named({ name, checkType, vmName }: UnprovenCheck): string {
  return `The ${name === '' ? '' : `"${name}" `}${checkType} check of VM "${vmName}"`;
}
