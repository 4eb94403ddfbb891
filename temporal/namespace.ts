import { type Client, type Connection, ScheduleAlreadyRunning, ScheduleOverlapPolicy } from '@temporalio/client';
import { AppError } from '../domain/app-error.ts';
import { CORE_TASK_QUEUE } from '../domain/ids.ts';
import { WORKFLOW } from '../workflows/messages.ts';

const KEYWORD = 2;
const SEARCH_ATTRIBUTES = ['VmName', 'VmStatus', 'VmTenant', 'VmProvider', 'VmHost'] as const;

/**
 * Makes the namespace know the search attributes by which VMs are found. Needed before any VM's workflow runs; throws a
 * sentence with the command to run where this connection may not add them.
 */
export async function ensureSearchAttributes(connection: Connection, namespace: string): Promise<void> {
  const known = await connection.operatorService.listSearchAttributes({ namespace }).catch(() => null);
  const missing =
    known === null
      ? await unknownToQueries(connection, namespace)
      : SEARCH_ATTRIBUTES.filter((name) => known.customAttributes?.[name] === undefined);
  if (missing.length === 0) return;
  try {
    await connection.operatorService.addSearchAttributes({
      namespace,
      searchAttributes: Object.fromEntries(missing.map((name) => [name, KEYWORD])),
    });
  } catch (error) {
    if (/already exist/i.test(String(error))) return;
    const command = `temporal operator search-attribute create --namespace ${namespace} ${missing.map((name) => `--name ${name} --type Keyword`).join(' ')}`;
    throw new AppError(
      'unavailable',
      `Temporal's search attributes ${missing.join(', ')} are missing. Run: ${command}`,
      { cause: error },
    );
  }
}

/** Where operators' calls are refused, as in Temporal Cloud, a query that names an attribute tells whether there is one. */
async function unknownToQueries(connection: Connection, namespace: string): Promise<string[]> {
  const asked = SEARCH_ATTRIBUTES.map(async (name) => {
    const isKnown = await connection.workflowService
      .countWorkflowExecutions({ namespace, query: `${name} = 'x'` })
      .then(
        () => true,
        () => false,
      );
    return isKnown ? [] : [name];
  });
  return (await Promise.all(asked)).flat();
}

interface PlannedSchedule {
  scheduleId: string;
  workflowType: string;
  note: string;
  spec: { cronExpressions: string[] };
}

const MINUTE_MS = 60_000;

const SCHEDULES: readonly PlannedSchedule[] = [
  {
    scheduleId: 'retain',
    workflowType: WORKFLOW.retain,
    note: 'keeps as much history as the settings say',
    spec: { cronExpressions: ['30 3 * * *'] },
  },
];

/** Creates the schedules that are missing. Existing ones are left as people have set them. */
export async function ensureSchedules(client: Client): Promise<void> {
  for (const { scheduleId, workflowType, note, spec } of SCHEDULES) {
    try {
      await client.schedule.create({
        scheduleId,
        spec,
        policies: { overlap: ScheduleOverlapPolicy.SKIP, catchupWindow: 10 * MINUTE_MS },
        state: { note },
        action: { type: 'startWorkflow', workflowType, taskQueue: CORE_TASK_QUEUE, workflowId: scheduleId },
      });
    } catch (error) {
      if (!(error instanceof ScheduleAlreadyRunning)) throw error;
    }
  }
}
