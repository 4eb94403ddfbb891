import { describe, expect, it } from 'vitest';
import { pausedAtHypervisor } from '../../../domain/guards/paused-at-hypervisor.ts';
import { illAt, MINUTE, SECOND } from '../examples.ts';
import { ask, RESET, RESUME } from './ask.ts';

describe('paused-at-hypervisor', () => {
  it('waits until the VM was paused at every reading for its grace', () => {
    const after = (forMs: number) => ask(pausedAtHypervisor, { facts: illAt('paused', forMs), remedy: RESUME });
    expect(after(0)?.lookAgainInMs).toBe(15 * SECOND);
    expect(after(2 * MINUTE - 1)).toMatchObject({ reason: 'paused-at-hypervisor', lookAgainInMs: 1 });
    expect(after(2 * MINUTE)).toBeNull();
  });

  it('counts from now where it was never read before', () => {
    const facts = illAt('paused', 0, { powerReading: null });
    expect(ask(pausedAtHypervisor, { facts, remedy: RESUME })).not.toBeNull();
  });

  it('has no objection to a VM that is not paused', () => {
    expect(ask(pausedAtHypervisor, { facts: illAt('running', 0), remedy: RESET })).toBeNull();
  });
});
