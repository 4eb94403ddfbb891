import { describe, expect, it } from 'vitest';
import { uptimeOf } from '../../domain/uptime.ts';

describe('Uptime', () => {
  it.each([
    ['nothing was checked', { total: 0, healthy: 0, unhealthy: 0 }, { percentage: null, inconclusive: 0 }],
    ['no result was conclusive', { total: 7, healthy: 0, unhealthy: 0 }, { percentage: null, inconclusive: 7 }],
    ['all were healthy', { total: 3, healthy: 3, unhealthy: 0 }, { percentage: '100.00', inconclusive: 0 }],
    ['all were unhealthy', { total: 3, healthy: 0, unhealthy: 3 }, { percentage: '0.00', inconclusive: 0 }],
    ['two of three were healthy', { total: 3, healthy: 2, unhealthy: 1 }, { percentage: '66.67', inconclusive: 0 }],
    ['some were unknown', { total: 10, healthy: 2, unhealthy: 1 }, { percentage: '66.67', inconclusive: 7 }],
    ['one of 5,000 failed', { total: 5_000, healthy: 4_999, unhealthy: 1 }, { percentage: '99.98', inconclusive: 0 }],
  ])('when %s', (_title, counts, uptime) => {
    expect(uptimeOf(counts)).toEqual(uptime);
  });
});
