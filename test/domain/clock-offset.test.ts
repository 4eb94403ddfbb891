import { describe, expect, it } from 'vitest';
import { clockOffset } from '../../domain/clock-offset.ts';
import { NOW, SECOND } from './examples.ts';

const offset = (otherMs: number, askedAtMs: number, answeredAtMs: number) =>
  clockOffset({ otherMs: NOW + otherMs, askedAtMs: NOW + askedAtMs, answeredAtMs: NOW + answeredAtMs });

describe('how far a clock is behind another', () => {
  it('is nothing while the other’s time lies between question and answer, however long that took', () => {
    expect(offset(0, 0, 0)).toBe(0);
    expect(offset(3 * SECOND, 0, 60 * SECOND)).toBe(0);
  });

  it('is nothing within 2 s of that', () => {
    expect(offset(2 * SECOND, 0, 0)).toBe(0);
    expect(offset(-2 * SECOND, 0, 10)).toBe(0);
  });

  it('is what lies beyond question or answer', () => {
    expect(offset(2_001, 0, 0)).toBe(2_001);
    expect(offset(3_600 * SECOND + 5, 0, 5)).toBe(3_600 * SECOND);
    expect(offset(-3_600 * SECOND, 0, 5)).toBe(-3_600 * SECOND);
  });

  it('goes by the question when the own clock was set back meanwhile', () => {
    expect(offset(1, 0, -3_600 * SECOND)).toBe(0);
  });
});
