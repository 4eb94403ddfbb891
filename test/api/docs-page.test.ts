import { createContext, runInContext } from 'node:vm';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type ApiUnderTest, OPERATOR_TOKEN, startApiUnderTest } from './api-under-test.ts';
import { withoutTemporal } from './without-temporal.ts';

let api: ApiUnderTest;
beforeAll(async () => {
  api = await startApiUnderTest({ temporal: withoutTemporal });
});
afterAll(() => api.close());

const served = (path: string) => api.call('GET', path, undefined, { token: null });

describe('The page /docs', () => {
  it('runs no script but those of this server, and asks nobody else', async () => {
    const { headers } = await served('/docs');
    const policy = (headers.get('content-security-policy') ?? '').split(';').map((one) => one.trim());
    for (const part of ["default-src 'self'", "script-src 'self'", "script-src-attr 'none'", "form-action 'self'"]) {
      expect(policy).toContain(part);
    }
    // what is asked from scripts falls under default-src
    expect(policy.join(' ')).not.toMatch(/connect-src|unsafe-eval/);
  });

  it('has no script in the page, and no field that a form could put into a URL', async () => {
    const { text } = await served('/docs');
    expect(text).not.toMatch(/<script(?![^>]* src=)|\son\w+=/);
    expect(text).not.toMatch(/<input[^>]* name=/);
  });

  it('never mentions localStorage or cookies', async () => {
    expect((await served('/docs/docs.js')).text).not.toMatch(/localStorage|cookie/);
  });
});

/** What a tab keeps from one load of the page to the next. */
let session: Map<string, string>;
beforeEach(() => {
  session = new Map();
});

describe('The script of /docs', () => {
  it('keeps a token for the life of the tab, once it was accepted', async () => {
    const page = await load();
    expect(page.asked).toEqual([]);
    await page.signIn(` ${OPERATOR_TOKEN} `);
    expect([...session.values()]).toEqual([OPERATOR_TOKEN]);
    expect(page.shown).toMatchObject({ openapi: '3.1.0' });
    expect(page.element('token').value).toBe('');
    expect([page.element('sign-in').hidden, page.element('forget').hidden]).toEqual([true, false]);
    const again = await load();
    expect(again.shown).toMatchObject({ openapi: '3.1.0' });
    for (const url of [...page.asked, ...again.asked]) expect(url).toBe(`${api.url}/openapi.json`);
  });

  it('keeps no token that is wrong, and forgets one that has ended', async () => {
    const page = await load();
    await page.signIn('wrong');
    expect(session.size).toBe(0);
    expect(page.element('problem').textContent).toBe('The token is not known here.');
    session.set('defib-token', 'revoked meanwhile');
    const again = await load();
    expect(session.size).toBe(0);
    expect([again.shown, again.element('sign-in').hidden]).toEqual([null, false]);
  });

  it('forgets the token when asked to', async () => {
    const page = await load();
    await page.signIn(OPERATOR_TOKEN);
    page.element('forget').fire('click');
    expect(session.size).toBe(0);
    expect(page.reloads).toBe(1);
  });

  it('sends the token to this server alone', async () => {
    const page = await load();
    await page.signIn(OPERATOR_TOKEN);
    expect(page.headersFor('/api/vms')).toEqual({ Authorization: `Bearer ${OPERATOR_TOKEN}` });
    expect(page.headersFor(`${api.url}/api/vms`)).toEqual({ Authorization: `Bearer ${OPERATOR_TOKEN}` });
    expect(page.headersFor('https://elsewhere.invalid/api/vms')).toEqual({});
  });
});

interface Element {
  value: string;
  hidden: boolean;
  textContent: string;
  fire(event: string): void;
}

/** The served script in a browser's place: a page, the tab's session and `fetch`, and nothing else that it could use. */
async function load() {
  const { text: html } = await served('/docs');
  const { text: script } = await served('/docs/docs.js');
  const elements = new Map<string, Element>();
  const pending: Promise<unknown>[] = [];
  const page = { asked: [] as string[], shown: null as object | null, reloads: 0 };
  let interceptor: (request: { url: string; headers: object }) => { headers: object };
  const location = { href: `${api.url}/docs`, origin: api.url, reload: () => (page.reloads += 1) };
  for (const [, id = ''] of html.matchAll(/ id="([\w-]+)"/g))
    elements.set(id, anElement(html.includes(`id="${id}" hidden`)));
  const element = (id: string) => elements.get(id)!;
  const settled = async () => {
    while (pending.length > 0) await pending.pop();
    await new Promise((resolve) => setImmediate(resolve));
  };
  const context = createContext({
    URL,
    location,
    document: { getElementById: element },
    sessionStorage: {
      getItem: (name: string) => session.get(name) ?? null,
      setItem: (name: string, value: string) => session.set(name, value),
      removeItem: (name: string) => session.delete(name),
    },
    fetch: (path: string, options: RequestInit) => {
      const url = new URL(path, location.href).href;
      page.asked.push(url);
      const answer = fetch(url, options).then(async (got) => {
        const body = await got.json();
        return { ok: got.ok, status: got.status, json: async () => body };
      });
      pending.push(answer);
      return answer;
    },
    SwaggerUIBundle: ({ spec, requestInterceptor }: { spec: object; requestInterceptor: typeof interceptor }) => {
      page.shown = spec;
      interceptor = requestInterceptor;
    },
  });
  runInContext(script, context);
  await settled();
  return {
    get asked() {
      return page.asked;
    },
    get shown() {
      return page.shown;
    },
    get reloads() {
      return page.reloads;
    },
    element,
    async signIn(token: string) {
      element('token').value = token;
      element('sign-in').fire('submit');
      await settled();
    },
    headersFor: (url: string) => interceptor({ url, headers: {} }).headers,
  };
}

function anElement(hidden: boolean) {
  const listeners = new Map<string, (event: { preventDefault(): void }) => void>();
  return {
    value: '',
    textContent: '',
    hidden,
    addEventListener: (event: string, listener: (event: { preventDefault(): void }) => void) => {
      listeners.set(event, listener);
    },
    fire: (event: string) => listeners.get(event)?.({ preventDefault: () => undefined }),
  };
}
