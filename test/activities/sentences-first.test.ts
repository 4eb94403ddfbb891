import { expect, it } from 'vitest';
import { withSentencesFirst } from '../../activities/sentences-first.ts';

const answers = {
  line: async () => ({ kind: 'act', operationId: 'x', line: 'acts: restart' }),
  detail: async (detail: string) => ({ state: 'done', detail }),
  first: async () => ({ line: 'a', kind: 'b' }),
  without: async () => ({ kind: 'gone', deleted: true }),
  nothing: async () => undefined,
  none: async () => null,
  list: async () => [{ line: 'a' }],
};
const wrapped = withSentencesFirst(answers);

it('answers begin with their sentence', async () => {
  expect(JSON.stringify(await wrapped.line())).toBe('{"line":"acts: restart","kind":"act","operationId":"x"}');
  expect(JSON.stringify(await wrapped.detail('confirmed'))).toBe('{"detail":"confirmed","state":"done"}');
});

it('and others are left as they are', async () => {
  for (const name of ['first', 'without', 'nothing', 'none', 'list'] as const) {
    expect(JSON.stringify(await wrapped[name]())).toBe(JSON.stringify(await answers[name]()));
  }
});
