import { describe, expect, it } from 'vitest';
import type { CheckFact } from '../../../domain/facts.ts';
import { silenceAlone } from '../../../domain/guards/silence-alone.ts';
import { expired, failing, ill, passing, silent } from '../examples.ts';
import { ask, NOTIFY, RESET_CRASHED } from './ask.ts';

const SILENT = silent();

describe('silence-alone', () => {
  it.each<[string, CheckFact[]]>([
    ['a check of the VM itself fails often enough', [failing()]],
    ['such a check fails beside the agent', [SILENT, failing({ checkType: 'ping' })]],
  ])('has no objection when %s', (_title, checks) => {
    expect(ask(silenceAlone, { facts: ill({ checks }) })).toBeNull();
  });

  it.each<[string, CheckFact[]]>([
    ['only the agent is silent', [SILENT]],
    ['the agent is silent while another check shows the VM alive', [SILENT, passing()]],
    ['the agent is silent and another check has failed too few times', [SILENT, failing({ consecutiveFailures: 2 })]],
    [
      'the agent is silent and no other check can tell',
      [SILENT, failing({ status: 'unknown', consecutiveFailures: 0 })],
    ],
    ['the agent is silent and a certificate has run out', [SILENT, expired()]],
    ['two agents are silent', [SILENT, silent({ checkId: 'agent-2', name: 'another' })]],
    ['another check fails that has never succeeded', [SILENT, failing({ provenAtMs: null })]],
    ['no check is left', []],
  ])('objects when %s', (_title, checks) => {
    expect(ask(silenceAlone, { facts: ill({ checks }) })).toMatchObject({ reason: 'silence-alone' });
  });

  it('is not concerned when the hypervisor itself says that the VM is down', () => {
    const remedy = RESET_CRASHED;
    expect(ask(silenceAlone, { facts: ill({ checks: [SILENT] }), remedy })).toBeNull();
  });

  it('lets people be told', () => {
    expect(ask(silenceAlone, { facts: ill({ checks: [SILENT] }), remedy: NOTIFY })).toBeNull();
  });
});
