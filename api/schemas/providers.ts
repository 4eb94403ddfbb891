import { z } from 'zod';
import { providerKind } from '../vm-provider.ts';
import { nameField, nextCursorAnswer, pageQuery, siteField } from './fields.ts';

/** Judged by the kind's own schema. */
const anything = z.record(z.string(), z.unknown(), 'must be an object');

const OF_NO_ENVIRONMENT = /^(?!environment:)/;

const settings = {
  name: nameField
    .regex(OF_NO_ENVIRONMENT, 'must not begin with "environment:"')
    // of two patterns the OpenAPI document has the first by itself
    .meta({ allOf: [{ pattern: OF_NO_ENVIRONMENT.source }] }),
  site: siteField.describe('whose workers reach it; without: the site of this server'),
  config: anything.describe('how it is reached; what it holds depends on the kind'),
  credentials: anything.nullable().describe('stored encrypted, never shown; what it holds depends on the kind'),
};

export const newProviderInput = z.strictObject({
  kind: providerKind,
  ...settings,
  site: settings.site.optional(),
  config: settings.config.optional(),
  credentials: settings.credentials.optional(),
  forEveryTenant: z.boolean('must be true or false').describe('OPERATOR only').optional(),
});

export const providerChangeInput = z.strictObject(settings).partial();

export const providerInstanceAnswer = z.object({
  id: z.string().describe('environment:<kind> for what the environment sets up'),
  kind: z.string(),
  name: z.string(),
  site: z.string(),
  config: anything,
  hasCredentials: z.boolean(),
  source: z.enum(['environment', 'stored']),
  forEveryTenant: z.boolean(),
  createdAt: z.iso.datetime().nullable(),
  updatedAt: z.iso.datetime().nullable(),
});

/** As the OpenAPI document shows it. */
export const providerExample: z.input<typeof providerInstanceAnswer> = {
  id: '01a20f33-0000-7000-8000-000000000006',
  kind: 'qemu',
  name: 'rack-2',
  site: 'main',
  config: {},
  hasCredentials: false,
  source: 'stored',
  forEveryTenant: false,
  createdAt: '2026-11-22T08:00:00.000Z',
  updatedAt: '2026-11-22T08:00:00.000Z',
};

export const providerListQuery = z.strictObject(pageQuery);
export const providerListAnswer = z.object({
  providers: z.array(providerInstanceAnswer),
  nextCursor: nextCursorAnswer,
});

export const providerTestAnswer = z.object({
  reachable: z.boolean(),
  reason: z.string().nullable().describe('why not, for machines'),
  message: z.string().describe('what it said of itself, or why it could not be reached and what to do'),
});
