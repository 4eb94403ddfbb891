import { describe, expect, it } from 'vitest';
import type { Facts } from '../../../domain/facts.ts';
import { failuresOld } from '../../../domain/guards/failures-old.ts';
import { expired, failing, ill, MINUTE, NOW, SECOND, silent } from '../examples.ts';
import { ask, NOTIFY, RESET_CRASHED } from './ask.ts';

const LIMIT = 3 * 60 * SECOND + 10 * SECOND;
const told = (lastCheckAtMs: number | null) => failing({ lastCheckAtMs });
const AGENT = silent();

describe('failures-old', () => {
  it.each<[string, Partial<Facts>]>([
    ['a failing check told just now', { checks: [told(NOW)] }],
    ['it told three intervals and a timeout ago', { checks: [told(NOW - LIMIT)] }],
    ['it told after the last remedy', { checks: [told(NOW - SECOND)], lastRemedyDoneAtMs: NOW - MINUTE }],
    ['one of two failing checks still tells', { checks: [told(NOW - LIMIT - 1), told(NOW)] }],
    ['only the agent fails, which is for another guard', { checks: [AGENT] }],
  ])('has no objection when %s', (_title, given) => {
    expect(ask(failuresOld, { facts: ill(given) })).toBeNull();
  });

  it.each<[string, Partial<Facts>, string]>([
    [
      'the failing check has not been conclusive for longer',
      { checks: [told(NOW - LIMIT - 1)] },
      'its failing checks have not been conclusive for three intervals',
    ],
    [
      'the failures were counted before the last remedy',
      { checks: [told(NOW - 2 * MINUTE)], lastRemedyDoneAtMs: NOW - MINUTE },
      'no look since the last remedy was conclusive',
    ],
    [
      'the look that failed began as the remedy was done',
      { checks: [told(NOW - MINUTE)], lastRemedyDoneAtMs: NOW - MINUTE },
      'no look since the last remedy was conclusive',
    ],
    [
      'it never was conclusive',
      { checks: [told(null)] },
      'its failing checks have not been conclusive for three intervals',
    ],
    [
      'only a check was conclusive since that has never succeeded',
      { checks: [told(NOW - LIMIT - 1), failing({ checkId: 'tcp-1', provenAtMs: null, lastCheckAtMs: NOW })] },
      'its failing checks have not been conclusive for three intervals',
    ],
    [
      'only a certificate that has run out was conclusive since',
      { checks: [told(NOW - LIMIT - 1), expired({ lastCheckAtMs: NOW })] },
      'its failing checks have not been conclusive for three intervals',
    ],
    [
      'only the agent was heard of since',
      { checks: [told(NOW - LIMIT - 1), AGENT] },
      'its failing checks have not been conclusive for three intervals',
    ],
  ])('objects when %s', (_title, given, sentence) => {
    expect(ask(failuresOld, { facts: ill(given) })).toMatchObject({ reason: 'failures-old', sentence });
  });

  it('is not concerned when the hypervisor itself says that the VM is down', () => {
    const remedy = RESET_CRASHED;
    expect(ask(failuresOld, { facts: ill({ checks: [told(null)] }), remedy })).toBeNull();
  });

  it('lets people be told', () => {
    expect(ask(failuresOld, { facts: ill({ checks: [told(null)] }), remedy: NOTIFY })).toBeNull();
  });
});
