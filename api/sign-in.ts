import { isIP } from 'node:net';
import type { Request } from 'express';
import ipaddr from 'ipaddr.js';
import { LRUCache } from 'lru-cache';
import { hashToken } from '../db/access/api-tokens.ts';
import type { Database } from '../db/database.ts';
import { AppError } from '../domain/app-error.ts';
import { authenticate, type Caller, tokenOf } from './caller.ts';
import type { RateLimits } from './rate-limits.ts';

/** How many tokens are remembered as right. */
const MAX_REMEMBERED = 10_000;

/** Who sent this request. @throws AppError `unauthorized`, or `too-many-requests` after many wrong tokens or requests. */
export type SignIn = (request: Request, nowMs: number) => Promise<Caller>;

/**
 * Signs callers in, and counts. An address that keeps sending wrong tokens, or none, is soon refused without a look-up;
 * tokens that were right here lately go on working from it, for it may be a proxy or a whole office.
 */
export function createSignIn(database: Database, limits: RateLimits): SignIn {
  /** Hashes. */
  const remembered = new LRUCache<string, true>({ max: MAX_REMEMBERED });

  return async (request, nowMs) => {
    const address = addressOf(request);
    const token = tokenOf(request);
    const hash = token === null ? '' : hashToken(token);
    if (!remembered.has(hash)) await limits.requireFewWrongTokens(address);
    let caller: Caller;
    try {
      caller = await authenticate(database, token, nowMs);
    } catch (error) {
      remembered.delete(hash);
      if (error instanceof AppError && error.code === 'unauthorized') await limits.countWrongToken(address);
      throw error;
    }
    remembered.set(hash, true);
    await limits.countToken(caller.tokenId);
    return caller;
  };
}

/**
 * What a client is counted by: his address, behind a proxy only as far as TRUSTED_PROXIES says. Of IPv6 the first half alone, because a
 * provider gives each customer that many addresses (RFC 6177) and he could send each request from another one.
 */
export function addressOf(request: Pick<Request, 'ip'>): string {
  const given = request.ip ?? 'unknown';
  if (isIP(given) === 0) return given;
  // an IPv4 address in the form of IPv6 is one of IPv4
  const ip = ipaddr.process(given);
  return ip.kind() === 'ipv4' ? ip.toString() : `${Buffer.from(ip.toByteArray().slice(0, 8)).toString('hex')}/64`;
}
