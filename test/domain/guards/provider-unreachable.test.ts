import { describe, expect, it } from 'vitest';
import { providerUnreachable } from '../../../domain/guards/provider-unreachable.ts';
import { ill } from '../examples.ts';
import { ask, NOTIFY } from './ask.ts';

const AWAY = ill({ provider: { answered: false, reason: 'unreachable', message: 'no QMP socket at that path' } });

describe('provider-unreachable', () => {
  it('has no objection while the hypervisor answers, whatever it says of the VM', () => {
    for (const power of ['running', 'paused', 'off'] as const) {
      expect(ask(providerUnreachable, { facts: ill({ provider: { answered: true, power, detail: '' } }) })).toBeNull();
    }
  });

  it('objects when it does not, and passes on why', () => {
    expect(ask(providerUnreachable, { facts: AWAY })).toMatchObject({
      reason: 'provider-unreachable',
      sentence: 'its hypervisor gives no answer: no QMP socket at that path',
    });
  });

  it('lets people be told', () => {
    expect(ask(providerUnreachable, { facts: AWAY, remedy: NOTIFY })).toBeNull();
  });
});
