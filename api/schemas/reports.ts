import { z } from 'zod';
import { instantField, text } from './fields.ts';

const MAX_AHEAD_MS = 300_000;
export const MAX_PAST_REPORTS = 1_000;

/** No number that an agent means is longer, and the patterns below take minutes on a text of a megabyte. */
const MAX_NUMBER_LENGTH = 60;

/** Older agents send numbers as text, some with a decimal comma or a percent sign. */
const lenientNumber = z
  .union([z.number(), z.string()], 'must be a number')
  .transform((given) =>
    typeof given === 'number'
      ? given
      : given.length <= MAX_NUMBER_LENGTH && /\d/.test(given)
        ? Number(given.trim().replace(',', '.').replace(/ *%$/, ''))
        : Number.NaN,
  )
  .refine(Number.isFinite, 'must be a number');

const percent = lenientNumber
  .refine((value) => !(value < 0 || value > 100), 'must be a percentage from 0 to 100')
  .nullable()
  .optional();

const measures = {
  cpu: percent,
  ram: percent,
  memory: percent.describe('another name for ram'),
  disk: percent,
  uptime: lenientNumber
    .refine((value) => !(value < 0), 'must not be negative')
    .nullable()
    .describe('seconds')
    .optional(),
};

/** An agent's clock. */
function timestampField(clock: () => number) {
  return instantField.superRefine((atMs, context) => {
    const aheadMs = atMs - clock();
    if (aheadMs <= MAX_AHEAD_MS) return;
    const minutes = Math.floor(aheadMs / 60_000);
    const message = `is ${minutes} min ahead of this server's clock (clock far in the future): correct the VM's clock`;
    context.addIssue({ code: 'custom', message });
  });
}

/** What an agent sends. Fields it doesn't know are left alone: agents of any age may report. */
export function reportInput(clock: () => number) {
  const timestamp = timestampField(clock);
  return z.looseObject({
    vmId: z.union([z.string(), z.number()]).transform(String).describe('id or externalId').nullable().optional(),
    timestamp: timestamp.nullable().optional(),
    ...measures,
    agentVersion: text(100).nullable().optional(),
    backfilled: z.boolean().describe('this report is from the past, by its timestamp').optional(),
    reports: z
      .array(z.looseObject({ timestamp, ...measures }), 'must be a list of reports')
      .max(MAX_PAST_REPORTS, `must be at most ${MAX_PAST_REPORTS}`)
      .describe('from the past, while the server was away')
      .optional(),
  });
}
export type ReportInput = z.output<ReturnType<typeof reportInput>>;

export const reportAnswer = z.object({
  received: z.literal(true),
  vmId: z.uuid(),
  receivedAt: z.iso.datetime(),
  live: z.boolean().describe('whether it counts as a heartbeat'),
  backfilled: z.int().describe('reports from the past that were kept'),
  ignored: z.int().describe('reports older than the retention'),
  reportIntervalSeconds: z.int(),
});

export const reportExample: z.input<typeof reportAnswer> = {
  received: true,
  vmId: '01a20f33-0000-7000-8000-000000000003',
  receivedAt: '2026-11-22T08:05:00.000Z',
  live: true,
  backfilled: 1,
  ignored: 0,
  reportIntervalSeconds: 60,
};
