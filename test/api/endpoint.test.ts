import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { endpoint, ok } from '../../api/endpoint.ts';

const reset = z.object({ reset: z.literal(true), at: z.iso.datetime().nullable() });

/** An endpoint that may answer 200 with `reset`, or 202 with a field more. */
const declared = () =>
  endpoint({
    id: 'reset',
    method: 'post',
    path: '/reset',
    tag: 'Test',
    summary: 'Resets',
    roles: ['USER'],
    answers: {
      200: { description: 'Reset', schema: reset },
      202: { description: 'To be reset', schema: reset.extend({ announced: z.literal(false) }) },
    },
  });

describe('What an endpoint answers', () => {
  it('is any answer that it declares', async () => {
    const done = { status: 200, body: { reset: true, at: null } };
    const short = declared().handle(async () => ok({ reset: true, at: null }));
    expect(await short.run(raw)).toEqual(done);
    const headers = { Location: '/reset/1' };
    const located = declared().handle(async () => ({ status: 200, body: { reset: true, at: null }, headers }));
    expect(await located.run(raw)).toEqual({ ...done, headers });
    const either = declared().handle(async ({ nowMs }) =>
      nowMs > 0 ? ok({ reset: true, at: null }) : { status: 202, body: { reset: true, at: null, announced: false } },
    );
    expect((await either.run(raw)).status).toBe(202);
    expect((await either.run({ ...raw, nowMs: 1 })).status).toBe(200);
  });

  it('does not compile when it is anything else', () => {
    // @ts-expect-error a status that is not declared
    declared().handle(async () => ({ status: 201, body: { reset: true, at: null } }));
    // @ts-expect-error the body of another status
    declared().handle(async () => ({ status: 202, body: { reset: true, at: null } }));
    // @ts-expect-error no body
    declared().handle(async () => ({ status: 200 }));
    // @ts-expect-error a missing field
    declared().handle(async () => ok({ reset: true }));
    // @ts-expect-error a field of another type
    declared().handle(async () => ok({ reset: true, at: new Date(0) }));
    // @ts-expect-error a field of another value
    declared().handle(async () => ok({ reset: false, at: null }));
    // @ts-expect-error an undeclared field
    declared().handle(async () => ok({ reset: true, at: null, secret: 'x' }));
    // @ts-expect-error text where there is a schema
    declared().handle(async () => ({ status: 200, body: 'reset' }));
    // @ts-expect-error nothing
    declared().handle(async () => undefined);
  });

  it('is text where it declares no schema', () => {
    const text = () => endpoint({ ...OF_TEXT, answers: { 200: { description: 'Text' } } });
    text().handle(async () => ({ status: 200, body: 'text' }));
    // @ts-expect-error an object without a schema
    text().handle(async () => ok({ reset: true }));
  });
});

const raw = {
  caller: { tokenId: 't', tenantId: 'default', role: 'USER', vmId: null, actor: 'a test' },
  params: {},
  query: undefined,
  body: undefined,
  nowMs: 0,
  requestId: 'r',
} as const;

const OF_TEXT = { id: 'text', method: 'get', path: '/text', tag: 'Test', summary: 'Text', roles: [] } as const;
