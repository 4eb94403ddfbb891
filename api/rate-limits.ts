import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';
import { AppError } from '../domain/app-error.ts';
import type { Settings } from '../domain/settings.ts';

export interface RateLimits {
  /** @throws AppError `too-many-requests`. */
  countAddress(address: string): Promise<void>;
  /** @throws AppError `too-many-requests`. */
  countToken(tokenId: string): Promise<void>;
}

/**
 * Requests per minute. Counted in this process's memory: a counter in Postgres would cost a query per request, and with
 * n API processes a caller gets at most n times the limit.
 */
export function createRateLimits(
  settings: Pick<Settings, 'RATE_LIMIT_PER_MINUTE' | 'RATE_LIMIT_ADDRESS_PER_MINUTE'>,
): RateLimits {
  const addresses = new RateLimiterMemory({ points: settings.RATE_LIMIT_ADDRESS_PER_MINUTE, duration: 60 });
  const tokens = new RateLimiterMemory({ points: settings.RATE_LIMIT_PER_MINUTE, duration: 60 });
  return {
    countAddress: (address) => count(addresses, address, 'address'),
    countToken: (tokenId) => count(tokens, tokenId, 'token'),
  };
}

async function count(limiter: RateLimiterMemory, key: string, what: string): Promise<void> {
  try {
    await limiter.consume(key);
  } catch (rejected) {
    if (!(rejected instanceof RateLimiterRes)) throw rejected;
    const retryAfterSeconds = Math.max(1, Math.ceil(rejected.msBeforeNext / 1000));
    const message = `More than ${limiter.points} requests a minute from this ${what}; try again in ${retryAfterSeconds} s.`;
    throw new AppError('too-many-requests', message, { retryAfterSeconds });
  }
}
