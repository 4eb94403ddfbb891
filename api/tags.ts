/** Of operations that are twins of others. */
export const TWINS_TAG = 'Cloud pods';

/** The parts of the OpenAPI document, in the order in which /docs shows them. */
export const TAGS: Readonly<Record<string, string>> = {
  VMs: 'Machines that Defib watches, and their totals',
  Health: 'How VMs are and were, and their checks',
  'Auto-heal': 'Policies, and what was done to VMs and why',
  Watching: 'A look at once, a pause and its end',
  Agents: 'Reports from inside VMs, and what they measured',
  Notices: 'What people should know of',
  Providers: 'Clusters and hosts that VMs run on',
  Access: 'Tokens and tenants',
  Audit: 'Who changed what',
  Operation: 'Defib itself',
  [TWINS_TAG]:
    'Compatible twins of the operations on health, auto-heal and watching, for clients of a hosting panel that call them under ' +
    '/api/cloud-pods. New clients call those under /api/vms.',
};
