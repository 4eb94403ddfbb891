import { createSecureContext, rootCertificates } from 'node:tls';
import { z } from 'zod';
import type { ProbeResult } from '../domain/probe-result.ts';
import { defineCheck, type ProbeDependencies, type ProbeInput } from './check.ts';
import { type Deadline, DeadlinePassed, inSeconds, STOOD_STILL, startDeadline } from './deadline.ts';
import { explainHttpError } from './http-errors.ts';
import { type Exchange, exchange } from './http-exchange.ts';
import { hostOf, portOf, readHttpTarget, urlProblems } from './http-target.ts';
import { openSocket, secureSocket } from './open-socket.ts';
import { type Failure, failedResult, healthyResult, noAddressResult } from './probe-result.ts';
import { lookFailed } from './system-errors.ts';

const MAX_REDIRECTS = 5;
const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

const flag = z.boolean('must be true or false').optional();
const options = z.strictObject({ followRedirects: flag, verifyTls: flag });

/** Does the VM answer HTTP with 2xx–3xx, body included, in time? A fresh connection for each probe and hop. */
export const http = defineCheck({
  type: 'http',
  about: 'alive',
  needsCorroboration: false,
  targetIs: 'a path or URL',
  options,
  needs: [],
  readTarget: readHttpTarget,
  // the address is part of what readTarget judges
  problems: () => [],
  endpoint: (url) => ({ host: hostOf(url), port: portOf(url) }),
  createProbe: createHttpProbe,
});

type HttpInput = ProbeInput<never, z.output<typeof options>>;

/** What a probe ended in: an answer, or what kept it from one. */
interface Ending {
  statusCode: number | null;
  body: string | null;
  failure: Failure | null;
}

/** What came back of the last request, and of its body what may be kept. */
type Answer = Omit<Exchange, 'body'> & Pick<Ending, 'body'>;

/** `authorities` (PEM) are trusted besides Node's own. */
function createHttpProbe({
  egress,
  authorities = [],
  keepBodies = true,
}: ProbeDependencies): (input: HttpInput) => Promise<ProbeResult> {
  // made once: reading the authorities costs more than a probe
  const context = createSecureContext(authorities.length > 0 ? { ca: [...rootCertificates, ...authorities] } : {});

  /** One request to one URL. The egress rules decide anew for each. */
  async function request(url: URL, input: HttpInput, deadline: Deadline): Promise<Exchange | Failure> {
    const reach = { ...input.reach, vmAddress: input.address };
    const clearance = await egress.clear(hostOf(url), portOf(url), reach, deadline);
    if (!clearance.ok) return clearance.failure;
    const plain = await openSocket(clearance.address, portOf(url), deadline);
    const tls = { verify: input.options.verifyTls !== false, context };
    const socket = url.protocol === 'https:' ? await secureSocket(plain, hostOf(url), tls, deadline) : plain;
    const follows = input.options.followRedirects === true;
    return exchange(socket, url, deadline, (code, location) => follows && redirects(code, location));
  }

  async function follow(start: URL, input: HttpInput, deadline: Deadline): Promise<Ending> {
    let url = start;
    for (let hops = 0; ; hops++) {
      // where a redirect leads is said by the server, not by the administrator
      const byAdmin = input.reach.byAdmin && url.host === start.host;
      const answer = await request(url, { ...input, reach: { ...input.reach, byAdmin } }, deadline).catch(
        (error: unknown): Exchange => ({ statusCode: null, location: null, body: '', error }),
      );
      if ('reason' in answer) return broken(hops === 0 ? answer : afterRedirect(answer, url));
      const { statusCode, location } = answer;
      const redirected = input.options.followRedirects === true && redirects(statusCode, location);
      // what a server says inside the network is shown only to those whom an administrator lets ask
      const body = keepBodies && byAdmin ? answer.body : null;
      if (!redirected) return judge({ ...answer, body }, url, deadline);
      const next = nextHop(location ?? '', url);
      if (!(next instanceof URL)) return { ...broken(next), statusCode };
      if (hops === MAX_REDIRECTS) return { ...broken(tooManyRedirects(next)), statusCode };
      url = next;
    }
  }

  return async (input) => {
    if (input.address === null && (input.target ?? '/').startsWith('/')) {
      return noAddressResult('http', { statusCode: null, body: null });
    }
    const target = readHttpTarget(input.target, input.address);
    if (!target.ok) return resultOf(broken(unusable(target.problems)), 0);
    const deadline = startDeadline(input.timeoutMs);
    try {
      const ending = await follow(target.value, input, deadline);
      return resultOf(ending, deadline.elapsedMs());
    } catch (error) {
      return resultOf(broken(lookFailed(error)), 0);
    } finally {
      deadline.end();
    }
  };
}

function judge({ statusCode, body, error }: Answer, url: URL, deadline: Deadline): Ending {
  // a bad status is the result, whether or not the body arrives
  if (statusCode !== null && (statusCode < 200 || statusCode > 399)) {
    const failure: Failure = { status: 'unhealthy', reason: 'http-status', message: `HTTP ${statusCode}` };
    return { statusCode, body, failure };
  }
  if (error === null) return { statusCode, body, failure: null };
  return { statusCode, body: statusCode === null ? null : body, failure: failureOf(error, url, deadline) };
}

function failureOf(error: unknown, url: URL, deadline: Deadline): Failure {
  if (deadline.stoodStill()) return lookFailed(STOOD_STILL);
  if (!(error instanceof DeadlinePassed)) return explainHttpError(error, url.protocol === 'https:');
  const brief = `timeout (${inSeconds(deadline.timeoutMs)})`;
  return { status: 'unhealthy', reason: 'timeout', message: `HTTP ${brief}`, brief };
}

function resultOf({ statusCode, body, failure }: Ending, elapsedMs: number): ProbeResult {
  if (failure === null) return healthyResult(`http ${statusCode}`, elapsedMs, { statusCode, body });
  if (failure.reason === 'http-status')
    return failedResult('http', failure, { statusCode, body }, `http ${statusCode}`);
  return failedResult('http', failure, { statusCode, body, error: failure.message });
}

function redirects(statusCode: number | null, location: string | null): boolean {
  return statusCode !== null && REDIRECTS.has(statusCode) && location !== null;
}

function nextHop(location: string, from: URL): URL | Failure {
  if (!URL.canParse(location, from.href)) {
    const message = 'The server redirects to something that is no URL: correct its Location header.';
    return { status: 'unhealthy', reason: 'bad-redirect', message };
  }
  const next = new URL(location, from);
  const problems = urlProblems(next);
  return problems.length === 0 ? next : afterRedirect(unusable(problems), next);
}

function tooManyRedirects(last: URL): Failure {
  const message = `The server redirects more than ${MAX_REDIRECTS} times, lastly to ${shown(last)}: look for a loop.`;
  return { status: 'unhealthy', reason: 'too-many-redirects', message };
}

function afterRedirect(failure: Failure, url: URL): Failure {
  return { ...failure, message: `Redirected to ${shown(url)}. ${failure.message}` };
}

function unusable(problems: readonly string[]): Failure {
  return { status: 'unknown', reason: 'target-refused', message: problems.join(' ') };
}

function broken(failure: Failure): Ending {
  return { statusCode: null, body: null, failure };
}

/** Without its query, which may hold a secret. */
function shown(url: URL): string {
  return `${url.protocol}//${url.host}${url.pathname.slice(0, 80)}`;
}
