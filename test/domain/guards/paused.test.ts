import { describe, expect, it } from 'vitest';
import { paused } from '../../../domain/guards/paused.ts';
import { ill, MINUTE } from '../examples.ts';
import { ask, NOTIFY } from './ask.ts';

const PAUSED = ill({ paused: { reason: 'kernel upgrade', by: 'token ops' } });

describe('paused', () => {
  it('has no objection to a VM that nobody paused', () => {
    expect(ask(paused)).toBeNull();
  });

  it('objects to whatever would be done, and says who paused it and why', () => {
    const sentence = 'token ops paused it: kernel upgrade';
    const objection = { reason: 'paused', sentence, lookAgainInMs: MINUTE };
    expect(ask(paused, { facts: PAUSED })).toMatchObject(objection);
    expect(ask(paused, { facts: PAUSED, remedy: NOTIFY })).toMatchObject(objection);
  });
});
