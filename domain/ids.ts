/** Ids that people type into the temporal CLI: guessable, and the same everywhere. */

/** Of the workflow that watches a VM. */
export function vmWorkflowId(vmId: string): string {
  return `vm/${vmId}`;
}

/** Of the workflow that heals one incident of a VM. */
export function healWorkflowId(vmId: string, incident: number): string {
  return `heal/${vmId}/${incident}`;
}

/** Of the workflow that repairs what Postgres and Temporal disagree about. */
export const RECONCILE_WORKFLOW_ID = 'reconcile';

/** One attempt at one remedy of one incident; primary key of `operations`. */
export function operationId(vmId: string, incident: number, action: string, attempt: number): string {
  return `${vmId}/${incident}/${action}/${attempt}`;
}

/** Looks of a site are done by workers inside that site. */
export function siteTaskQueue(site: string): string {
  return `defib-${site}`;
}

/** Workflows, decisions and heals: workers that reach the database. */
export const CORE_TASK_QUEUE = 'defib-core';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** Whether a text is written as a UUID, of any version. */
export function isUuid(text: string): boolean {
  return UUID.test(text);
}

/** The VM that a workflow of that id watches; null when it is another workflow's id. */
export function vmIdOfWorkflow(workflowId: string): string | null {
  const vmId = workflowId.slice('vm/'.length);
  return isUuid(vmId) && workflowId === vmWorkflowId(vmId) ? vmId : null;
}
