import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isCheckResult, lookFailed } from '../../domain/probe-result.ts';
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
    [undefined],
    ['ok'],
    [[]],
  ])('is not taken for a result in the shape of version 0.1: %o', (other) => {
    expect(isCheckResult(other)).toBe(false);
  });

  it('name the interval of their check, or were written before they did', () => {
    const result = { ...probeResult('healthy'), checkId: 'http-1', dueAtMs: 1, checkedAtMs: 2 };
    expect([undefined, 60_000].map((intervalMs) => isCheckResult({ ...result, intervalMs }))).toEqual([true, true]);
    expect(['60', null].map((intervalMs) => isCheckResult({ ...result, intervalMs }))).toEqual([false, false]);
  });

  it('are of a series, which is a whole number, or were written before there were any', () => {
    const result = { ...probeResult('healthy'), checkId: 'http-1', dueAtMs: 1, checkedAtMs: 2 };
    expect([undefined, 0, 3].map((series) => isCheckResult({ ...result, series }))).toEqual([true, true, true]);
    expect(['3', 1.5, null].map((series) => isCheckResult({ ...result, series }))).toEqual([false, false, false]);
  });

  it('have a raw response, which is an object', () => {
    const result = { ...probeResult('healthy'), checkId: 'http-1', dueAtMs: 1, checkedAtMs: 2 };
    expect(isCheckResult({ ...result, rawResponse: null })).toBe(false);
  });
});

it('a look that fails itself says nothing about the VM, and what went wrong', () => {
  const found = { status: 'unknown', reason: 'look-failed', latencyMs: null, rawResponse: {} };
  expect(lookFailed('http', new Error('no file descriptors'))).toEqual({
    ...found,
    message: 'look failed: no file descriptors',
    summary: 'http look failed',
  });
  expect(lookFailed('tcp', 'it was odd')).toMatchObject({ message: 'look failed: it was odd' });
});
