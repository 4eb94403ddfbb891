import { expect } from 'vitest';
import { problemAnswer } from '../../../api/problems.ts';
import { ADMIN_TOKEN_ID } from '../../../db/access/admin-token.ts';
import { describeApi } from '../../../local/describe-api.ts';
import type { Reply } from '../api-under-test.ts';
import type { FuzzRequest } from './requests.ts';

const UUID = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/gi;

/** The one answer above 499 that a request may ask for: a VM of a site where nothing runs. */
const NO_WORKER = 'The provider could not be asked: no worker at';

/** As it was sent. */
export interface Sent {
  request: FuzzRequest;
  path: string;
  tenantId: string;
  /** Path, query and body, as far as they are text. */
  text: string;
  /** Names a thing of the other tenant in its path. */
  isForeign: boolean;
}

/** Judges answers, and remembers which ids belong to whom. */
export function createJudge(tenants: readonly { mark: string; id: string }[]): (sent: Sent, reply: Reply) => void {
  const owners = new Map<string, string>();
  const inTheDocument = [...JSON.stringify(describeApi()).matchAll(UUID)].map(([id]) => id);
  const everybodys = new Set([ADMIN_TOKEN_ID, ...inTheDocument]);

  function judgeTenant({ tenantId, text, isForeign }: Sent, { status, text: answer }: Reply): void {
    const isDone = status < 400;
    expect(isDone && isForeign, `answered ${status} about another tenant's thing`).toBe(false);
    for (const { mark, id: owner } of tenants) {
      // a refusal may repeat what it refuses
      if (owner === tenantId || (!isDone && text.includes(mark))) continue;
      expect(answer, `a name of ${owner}`).not.toContain(mark);
    }
    for (const [id] of answer.toLowerCase().matchAll(UUID)) {
      if (everybodys.has(id) || text.toLowerCase().includes(id)) continue;
      const owner = owners.get(id) ?? tenantId;
      if (isDone) owners.set(id, owner);
      expect(owner, `whose ${id} is`).toBe(tenantId);
    }
  }

  return (sent, reply) => {
    const { status, text, body } = reply;
    expect(status < 500 || (status === 503 && text.includes(NO_WORKER)), `answered ${status}: ${text}`).toBe(true);
    expect(status, 'met a limit of requests').not.toBe(429);
    if (status >= 400) {
      expect(reply.headers.get('content-type')).toContain('application/problem+json');
      expect(body, 'a problem').toEqual(problemAnswer.strict().parse(body));
      expect(body.status).toBe(status);
      expect(Buffer.byteLength(text), 'a refusal in bytes').toBeLessThanOrEqual(64 * 1024);
      if (status === 503) expect(Number(reply.headers.get('retry-after'))).toBeGreaterThan(0);
    }
    const { role, operation } = sent.request;
    // an operator reaches every tenant, and adds providers for every one
    if (role !== 'OPERATOR') judgeTenant(sent, reply);
    else if (operation === 'addProvider' && body?.forEveryTenant === true) everybodys.add(body.id);
  };
}
