import { z } from 'zod';
import { hostAddressProblem } from '../../domain/host-address.ts';
import { INSTANT_IN_WORDS, isInstant, readInstant } from '../../domain/instant.ts';

/**
 * No control characters, and no half of a surrogate pair. It matches the same texts with the flag `u` and without it, because the
 * OpenAPI document has no place for flags: JSON Schema's validators set `u` (JSON Schema 2020-12, 6.4), Swagger UI does not.
 */
// oxlint-disable-next-line no-control-regex
const CLEAN_TEXT = /^(?:[^\u0000-\u001f\u007f-\u009f\ud800-\udfff]|[\ud800-\udbff][\udc00-\udfff])*$/;

/** Text without control characters or lone surrogates: Postgres can't hold some of them, logs and pages shouldn't. */
export function text(maxLength: number): z.ZodString {
  return z
    .string()
    .min(1, 'must not be empty')
    .max(maxLength, `must have at most ${maxLength} characters`)
    .regex(CLEAN_TEXT, 'must not hold control characters or broken Unicode');
}

/** A whole number within bounds, and the message that names its unit and both bounds. */
export function wholeNumber(min: number, max: number, unit = ''): z.ZodInt {
  const message = `must be a whole number${unit === '' ? '' : ` of ${unit}`} from ${min} to ${max}`;
  return z.int(message).min(min, message).max(max, message);
}

export const nameField = text(200);
export const tagField = text(100);
export const siteField = z.string().regex(/^[a-z0-9-]{1,40}$/, 'must be 1 to 40 lower-case letters, digits and dashes');
export const addressField = z
  .string('must be an IP address or a host name')
  .max(253, 'must have at most 253 characters')
  .superRefine((given, context) => {
    const message = hostAddressProblem(given);
    if (message !== null) context.addIssue({ code: 'custom', message });
  });

/** Defib's own words for health. */
export const healthStatus = z.enum(['unknown', 'healthy', 'degraded', 'unhealthy']);
/** Of a VM, which may be paused. */
export const shownStatus = z.enum([...healthStatus.options, 'paused']);

/** An instant as answers carry it: ISO 8601, or null where it never was. */
export const atAnswer = z.iso.datetime().nullable();

/** An instant for `atAnswer`. */
export function toIso(at: Date | null): string | null {
  return at?.toISOString() ?? null;
}

/** Of a row the fields that an answer declares, as they are. A column that is new in the row isn't answered by accident. */
export function declaredFields<Row extends object, Shape extends z.ZodRawShape>(
  answer: z.ZodObject<Shape>,
  row: Row,
): Pick<Row, keyof Row & keyof Shape> {
  const { shape } = answer;
  const fields: Partial<Row> = {};
  // a loop, because pages hold many rows: entries, filter and fromEntries take twice as long
  for (const name in row) if (Object.hasOwn(shape, name)) fields[name] = row[name];
  return fields as Pick<Row, keyof Row & keyof Shape>;
}

/** An object whose fields the API answers as they are. */
export const anyObject: z.ZodType<object, object> = z.record(z.string(), z.unknown());

/** A page of a list: how many rows at most, and where the page before ended. */
export const pageQuery = {
  limit: z.coerce
    .number('must be a whole number from 1 to 1000')
    .int('must be a whole number from 1 to 1000')
    .min(1, 'must be from 1 to 1000')
    .max(1_000, 'must be from 1 to 1000')
    .default(1_000),
  cursor: z.string().max(500, 'must have at most 500 characters').optional(),
};
/** A choice between what is so and what is over, as a query says it. */
export const openQuery = z
  .enum(['true', 'false'], 'must be true or false')
  .transform((word) => word === 'true')
  .optional();
export const nextCursorAnswer = z.string().nullable();

/** An instant as people and programs write it, as epoch ms. */
export const instantField = z.union([z.string(), z.number()], INSTANT_IN_WORDS).transform((given, context) => {
  const ms = readInstant(given);
  if (ms !== null) return ms;
  context.addIssue({ code: 'custom', message: INSTANT_IN_WORDS });
  return z.NEVER;
});

/** Epoch ms as cursors carry them. */
export const instantMs = z.int().refine(isInstant);
