import type { TestProject } from 'vitest/node';
import { findTemporalProgram } from '../../local/temporal-finder.ts';
import { findTimeSkippingServer } from '../../local/time-skipping-server.ts';

/** For tests that start servers of their own: only that there are programs for them. */
export async function setup(project: TestProject): Promise<void> {
  project.provide('virtualTime', { ok: true, path: await findTimeSkippingServer(() => undefined) });
  await findTemporalProgram();
  project.provide('temporal', { ok: true, address: 'none is shared', namespace: 'default' });
}
