import { describe, expect, it } from 'vitest';
import { offAtHypervisor } from '../../../domain/guards/off-at-hypervisor.ts';
import { illAt, policy } from '../examples.ts';
import { ask, escalating, RESET, START } from './ask.ts';

const OFF = illAt('off', 0);

describe('off-at-hypervisor', () => {
  it('objects to starting a VM that nobody said should run', () => {
    expect(ask(offAtHypervisor, { facts: OFF, remedy: START })).toMatchObject({ reason: 'off-at-hypervisor' });
  });

  it('has no objection where the VM says that it should run', () => {
    expect(ask(offAtHypervisor, { facts: { ...OFF, keepRunning: true }, remedy: START })).toBeNull();
  });

  it('has no objection where the policy asks for a start', () => {
    const starts = policy({ action: 'start' });
    expect(ask(offAtHypervisor, { facts: OFF, remedy: START, policy: starts })).toBeNull();
    expect(ask(offAtHypervisor, { facts: OFF, remedy: escalating(START), policy: starts })).not.toBeNull();
    const escalates = policy({ escalationAction: 'start' });
    expect(ask(offAtHypervisor, { facts: OFF, remedy: escalating(START), policy: escalates })).toBeNull();
    expect(ask(offAtHypervisor, { facts: OFF, remedy: START, policy: escalates })).not.toBeNull();
  });

  it('has no objection to other remedies', () => {
    expect(ask(offAtHypervisor, { remedy: RESET })).toBeNull();
  });
});
