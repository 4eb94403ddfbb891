import { describe, expect, it } from 'vitest';
import { actionUnsupported } from '../../../domain/guards/action-unsupported.ts';
import { ill } from '../examples.ts';
import { ask, MIGRATE, NOTIFY, RESET } from './ask.ts';

describe('action-unsupported', () => {
  it.each([
    ['the provider can do it', { facts: ill({ providerSupports: ['reset'] }), remedy: RESET }],
    ['people are to be told, whatever the provider can do', { facts: ill({ providerSupports: [] }), remedy: NOTIFY }],
  ])('has no objection when %s', (_title, given) => {
    expect(ask(actionUnsupported, given)).toBeNull();
  });

  it.each([
    ['the provider can do nothing', { facts: ill({ providerSupports: [] }), remedy: RESET }, 'restart'],
    ['it can do other things only', { facts: ill({ providerSupports: ['start'] }), remedy: RESET }, 'restart'],
    ['no part of Defib can do it yet', { facts: ill(), remedy: MIGRATE }, 'migrate'],
  ])('objects when %s', (_title, given, action) => {
    expect(ask(actionUnsupported, given)).toMatchObject({
      reason: 'action-unsupported',
      sentence: `its provider can't do "${action}"`,
    });
  });
});
