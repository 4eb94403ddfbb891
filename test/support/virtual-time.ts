import { TestWorkflowEnvironment } from '@temporalio/testing';
import { inject } from 'vitest';
import './provided.ts';

/** A server with virtual time of its own for one test file: its clock is global. `teardown()` it in afterAll. */
export async function startVirtualTime(): Promise<TestWorkflowEnvironment> {
  const provided = inject('virtualTime');
  if (!provided.ok) throw new Error(provided.reason);
  return TestWorkflowEnvironment.createTimeSkipping({ server: { executable: provided.executable } });
}
