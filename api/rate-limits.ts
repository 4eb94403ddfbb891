import {
  type RateLimiterAbstract,
  RateLimiterMemory,
  RateLimiterPostgres,
  RateLimiterRes,
} from 'rate-limiter-flexible';
import type { Database } from '../db/database.ts';
import { AppError } from '../domain/app-error.ts';
import type { Settings } from '../domain/settings.ts';

/** Requests per minute. Each throws AppError `too-many-requests`, which says when to come back. */
export interface RateLimits {
  countAddress(address: string): Promise<void>;
  countToken(tokenId: string): Promise<void>;
  /** Counts a wrong token, or none at all; never throws. */
  countWrongToken(address: string): Promise<void>;
  /** Throws once the address has sent many wrong tokens. */
  requireFewWrongTokens(address: string): Promise<void>;
}

export type RateLimitSettings = Pick<
  Settings,
  'RATE_LIMIT_PER_MINUTE' | 'RATE_LIMIT_ADDRESS_PER_MINUTE' | 'RATE_LIMIT_WRONG_TOKENS_PER_MINUTE' | 'RATE_LIMIT_STORE'
>;

const SECONDS = 60;
/** Made by a migration: unlogged, for counts of a minute need not outlive a crash. */
const TABLE = 'rate_limits';

/**
 * Counts in this process's memory, or in Postgres for all API processes together. There each count is one more statement; an
 * address or token that has used its limit up is remembered here and costs none. While Postgres is away memory counts.
 */
export function createRateLimits({ pool }: Pick<Database, 'pool'>, settings: RateLimitSettings): RateLimits {
  const limiter = (keyPrefix: string, points: number): RateLimiterAbstract => {
    const memory = new RateLimiterMemory({ keyPrefix, points, duration: SECONDS });
    if (settings.RATE_LIMIT_STORE === 'memory') return memory;
    return new RateLimiterPostgres({
      keyPrefix,
      points,
      duration: SECONDS,
      storeClient: pool,
      storeType: 'pool',
      tableName: TABLE,
      tableCreated: true,
      // retention does it
      clearExpiredByTimeout: false,
      inMemoryBlockOnConsumed: points + 1,
      insuranceLimiter: memory,
    });
  };
  const addresses = limiter('address', settings.RATE_LIMIT_ADDRESS_PER_MINUTE);
  const tokens = limiter('token', settings.RATE_LIMIT_PER_MINUTE);
  const wrongTokens = limiter('wrong', settings.RATE_LIMIT_WRONG_TOKENS_PER_MINUTE);

  return {
    countAddress: (address) => count(addresses, address, 'requests a minute from this address'),
    countToken: (tokenId) => count(tokens, tokenId, 'requests a minute from this token'),
    async countWrongToken(address) {
      await count(wrongTokens, address, '').catch(() => undefined);
    },
    async requireFewWrongTokens(address) {
      const counted = await wrongTokens.get(address);
      if (counted !== null && counted.consumedPoints >= wrongTokens.points) {
        throw tooMany(wrongTokens, counted, 'wrong tokens a minute from this address');
      }
    },
  };
}

async function count(limiter: RateLimiterAbstract, key: string, what: string): Promise<void> {
  try {
    await limiter.consume(key);
  } catch (rejected) {
    throw rejected instanceof RateLimiterRes ? tooMany(limiter, rejected, what) : rejected;
  }
}

function tooMany({ points }: RateLimiterAbstract, { msBeforeNext }: RateLimiterRes, what: string): AppError {
  const retryAfterSeconds = Math.max(1, Math.ceil(msBeforeNext / 1000));
  const message = `More than ${points} ${what}; try again in ${retryAfterSeconds} s.`;
  return new AppError('too-many-requests', message, { retryAfterSeconds });
}
