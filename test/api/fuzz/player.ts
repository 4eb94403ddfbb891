import { Pool } from 'undici';
import { type ApiUnderTest, type Reply } from '../api-under-test.ts';
import type { Sent } from './judge.ts';
import { namesOther, resolve, type World } from './references.ts';
import type { FuzzRequest } from './requests.ts';
import { type FuzzTenant, restock } from './tenant.ts';

/** Sends generated requests as they stand, without the tidying that `fetch` does. */
export function createPlayer(api: ApiUnderTest, tenants: readonly [FuzzTenant, FuzzTenant]) {
  const pool = new Pool(api.url, { connections: 1 });

  async function send(request: FuzzRequest): Promise<{ sent: Sent; reply: Reply }> {
    const own = tenants[request.tenant];
    const other = tenants[1 - request.tenant] ?? own;
    const world: World = {
      find: (whose, kind, index) => {
        // what an operator stores may be for every tenant
        if (kind === 'mark' && request.role === 'OPERATOR') return 'of-the-operator';
        const things = (whose === 'own' ? own : other).things[kind];
        return things[index % things.length] ?? 'nothing';
      },
      sockets: api.sockets,
      nowMs: api.nowMs,
    };
    const put = (text: string) => resolve(text, world);
    const encode = (text: string) => encodeURIComponent(put(text).toWellFormed());
    const path = `/${request.segments.map(encode).join('/')}${request.rawPath}`;
    const query = request.query.map(([name, value]) => `${encode(name)}=${encode(value)}`).join('&');
    const body = bodyOf(request, put);
    const answer = await pool.request({
      method: request.method as 'GET',
      path: query === '' ? path : `${path}?${query}`,
      headers: {
        authorization: `Bearer ${own.tokens[request.role]}`,
        ...(body === null ? {} : { 'content-type': request.contentType }),
      },
      body,
    });
    const text = await answer.body.text();
    const headers = new Headers(
      Object.entries(answer.headers).map(([name, value]): [string, string] => [name, String(value)]),
    );
    const isJson = /json/.test(headers.get('content-type') ?? '');
    const reply = { status: answer.statusCode, headers, text, body: isJson ? JSON.parse(text) : null };
    const texts = [...request.segments.map(put), ...request.query.flat().map(put), body === null ? '' : String(body)];
    const isForeign = request.segments.some(namesOther);
    return { sent: { request, path, tenantId: own.id, text: texts.join('\n'), isForeign }, reply };
  }

  return {
    async play(request: FuzzRequest): Promise<{ sent: Sent; reply: Reply }> {
      const played = await send(request);
      await note(api, tenants[request.tenant], request, played.reply);
      return played;
    },
    close: () => pool.close(),
  };
}

function bodyOf({ body }: FuzzRequest, put: (text: string) => string): string | Uint8Array | null {
  if (body === null) return null;
  if ('raw' in body) return body.raw;
  return put(JSON.stringify(body.json));
}

/** Remembers what a request made, and replaces what it took away, so that later ones name things that are there. */
async function note(api: ApiUnderTest, tenant: FuzzTenant, { operation, role }: FuzzRequest, { status, body }: Reply) {
  if (status >= 300) return;
  const { things } = tenant;
  // only operators add them; one for every tenant is nobody's own
  if (operation === 'addProvider' && !body.forEveryTenant) things.provider.push(body.id);
  if (role === 'OPERATOR') return;
  if (operation === 'registerVm') {
    things.vm.push(body.id);
    if (body.externalId !== null) things.externalId.push(body.externalId);
  }
  if (operation.startsWith('savePolicy') && status === 201) things.policy.push(body.id);
  if (operation === 'makeToken') things.token.push(body.id);
  if (/^(delete|revoke)/.test(operation)) await restock(api, tenant);
}
