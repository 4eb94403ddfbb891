import { describe, expect, it } from 'vitest';
import { notSendable } from '../../../domain/guards/not-sendable.ts';
import { HOUR, ill, NOW } from '../examples.ts';
import { ask, NOTIFY } from './ask.ts';

const notSent = (count: number) => ill({ notSent: { count, lastAtMs: NOW, lastDetail: 'the VM is locked' } });

describe('not-sendable', () => {
  it('leaves eleven tries that were not sent to the pauses between them', () => {
    expect(ask(notSendable)).toBeNull();
    expect(ask(notSendable, { facts: notSent(11) })).toBeNull();
  });

  it("asks for a person after twelve, in the hypervisor's words", () => {
    expect(ask(notSendable, { facts: notSent(12) })).toMatchObject({
      reason: 'not-sendable',
      sentence: '12 tries could not be sent; manual intervention needed. The last one: the VM is locked',
      lookAgainInMs: HOUR,
    });
  });

  it('does not object to notifying people', () => {
    expect(ask(notSendable, { facts: notSent(12), remedy: NOTIFY })).toBeNull();
  });
});
