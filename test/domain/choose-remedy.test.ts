import { describe, expect, it } from 'vitest';
import { chooseRemedy } from '../../domain/choose-remedy.ts';
import type { PolicyAction } from '../../domain/policy.ts';
import type { PowerState } from '../../domain/power.ts';
import { ill, illAt, policy } from './examples.ts';

describe('the remedy that a policy asks for', () => {
  it.each<[PolicyAction, object]>([
    ['restart', { kind: 'power', power: 'reset' }],
    ['reset', { kind: 'power', power: 'reset' }],
    ['reboot', { kind: 'power', power: 'reboot' }],
    ['stop', { kind: 'power', power: 'stop' }],
    ['start', { kind: 'power', power: 'start' }],
    ['notify_only', { kind: 'notify' }],
    ['human', { kind: 'notify' }],
    ['migrate', { kind: 'other' }],
    ['restart_service', { kind: 'other' }],
  ])('by %s acts on the power, tells people, or is nothing that Defib can do', (action, expected) => {
    const ordinary = { action, escalation: false, cause: 'unresponsive' };
    expect(chooseRemedy(ill(), policy({ action }))).toEqual({ ...ordinary, ...expected });
  });

  it.each<[PowerState, object]>([
    ['running', { action: 'stop', power: 'stop', cause: 'unresponsive' }],
    ['panicked', { action: 'stop', power: 'stop', cause: 'unresponsive' }],
    ['off', { action: 'stop', power: 'stop', cause: 'unresponsive' }],
    ['paused', { action: 'resume', power: 'resume', cause: 'paused' }],
    ['storage-failed', { action: 'resume', power: 'resume', cause: 'storage-failed' }],
  ])('by stop, for a VM that is %s at its hypervisor', (power, expected) => {
    const chosen = chooseRemedy(illAt(power, 0), policy({ action: 'stop' }));
    expect(chosen).toEqual({ kind: 'power', escalation: false, ...expected });
  });
});
