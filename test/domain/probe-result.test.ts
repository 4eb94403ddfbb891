import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isCheckResult } from '../../domain/probe-result.ts';
import { anyInstant, anyResultStatus, probeResult } from './examples.ts';

const anyCheckResult = fc
  .record({ status: anyResultStatus, checkId: fc.string(), dueAtMs: anyInstant, checkedAtMs: anyInstant })
  .map(({ status, ...rest }) => ({ ...probeResult(status), ...rest }));

describe('results that are kept in heartbeats', () => {
  it('is known again after it was JSON', () => {
    fc.assert(
      fc.property(anyCheckResult, (result) => {
        expect(isCheckResult(JSON.parse(JSON.stringify(result)))).toBe(true);
      }),
    );
  });

  it('is not taken for a result when a part of it is missing or no such thing', () => {
    fc.assert(
      fc.property(anyCheckResult, fc.nat(8), fc.constantFrom(undefined, {}, [], true), (result, which, other) => {
        const field = Object.keys(result)[which] ?? '';
        // any object is a raw response
        fc.pre(field !== 'rawResponse' || typeof other !== 'object');
        expect(isCheckResult({ ...result, [field]: other })).toBe(false);
      }),
    );
  });

  it.each([
    [
      {
        checkId: 'a',
        dueAtMs: 1,
        beganAtMs: 2,
        sighting: {
          observation: { outcome: 'healthy', reason: 'ok', message: null, latencyMs: 1, raw: {} },
          summary: '',
        },
      },
    ],
    [null],
    ['ok'],
    [[]],
  ])('is not taken for a result in the shape of version 0.1: %o', (other) => {
    expect(isCheckResult(other)).toBe(false);
  });
});
