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
    // @ts-expect-error to be judged anew, where nothing is judged
    declared().handle(async () => null);
  });

  it('is text where it declares no schema', () => {
    const text = () => endpoint({ ...OF_TEXT, answers: { 200: { description: 'Text' } } });
    text().handle(async () => ({ status: 200, body: 'text' }));
    // @ts-expect-error an object without a schema
    text().handle(async () => ok({ reset: true }));
  });
});

describe('An endpoint that judges', () => {
  const body = z.strictObject({
    name: z.string(),
    size: z.int().optional(),
    tag: z.string().nullable().optional(),
    checks: z.array(z.strictObject({ port: z.int(), path: z.string().optional() })).optional(),
  });
  const judging = () =>
    endpoint({ ...OF_TEXT, method: 'post', body, answers: { 200: { description: 'Text' } } }).judge(async (call) => {
      seen.push(call.body);
      const problems = call.body.size === 13 ? [{ path: 'size', message: 'brings bad luck' }] : [];
      if (call.body.tag === undefined && !call.refused.has('tag'))
        problems.push({ path: 'tag', message: 'is missing' });
      return { problems, found: call.body.name === undefined ? null : { length: call.body.name.length } };
    });
  const seen: unknown[] = [];
  const sent = (given: unknown) => ({ ...raw, body: given });

  it('hands what it found to its handler', async () => {
    const { run } = judging().handle(async ({ found, body: { name } }) => ({
      status: 200,
      body: `${name}: ${found.length}`,
    }));
    expect(await run(sent({ name: 'web', tag: null }))).toEqual({ status: 200, body: 'web: 3' });
    expect(seen.pop()).toStrictEqual({ name: 'web', tag: null });
  });

  it('names what the schema refuses and what it judges at once, from all that is sound', async () => {
    const { run } = judging().handle(() => expect.unreachable());
    const checks = [{ port: 'x', path: '/a' }, 'no check', { port: 2, more: 1 }];
    await expect(run(sent({ size: 13, tag: 7, checks }))).rejects.toMatchObject({
      problems: [
        { path: 'name' },
        { path: 'tag' },
        { path: 'checks.0.port' },
        { path: 'checks.1' },
        { path: 'checks.2.more' },
        { path: 'size', message: 'brings bad luck' },
      ],
    });
    expect(seen.pop()).toStrictEqual({ size: 13, checks: [{ path: '/a' }, {}, { port: 2 }] });
    await expect(run(sent(undefined))).rejects.toMatchObject({ problems: [{ path: '' }, { path: 'tag' }] });
  });

  it('judges anew when what it found was changed meanwhile, and gives up at last', async () => {
    seen.length = 0;
    let changes = 2;
    const { run } = judging().handle(async () => (changes-- > 0 ? null : { status: 200, body: 'done' }));
    expect((await run(sent({ name: 'web', tag: null }))).body).toBe('done');
    expect(seen).toHaveLength(3);
    changes = Number.POSITIVE_INFINITY;
    await expect(run(sent({ name: 'web', tag: null }))).rejects.toMatchObject({ code: 'unavailable' });
  });

  it('parses a body once', async () => {
    let parsed = 0;
    const counted = z.object({ name: z.string().transform((name) => `${name}${++parsed}`) });
    const { run } = endpoint({ ...OF_TEXT, body: counted, answers: { 200: { description: 'Text' } } })
      .judge(async (call) => ({ problems: [], found: call.body.name ?? null }))
      .handle(async (call) => ({ status: 200, body: `${call.found} ${call.body.name}` }));
    expect((await run(sent({ name: 'a' }))).body).toBe('a1 a1');
  });
});

const raw = {
  caller: { tokenId: 't', tenantId: 'default', role: 'USER', vmId: null, actor: 'a test' },
  params: {},
  query: undefined,
  body: undefined,
  nowMs: 0,
  ifMatch: null,
} as const;

const OF_TEXT = { id: 'text', method: 'get', path: '/text', tag: 'Test', summary: 'Text', roles: [] } as const;
