import { randomUUID } from 'node:crypto';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { endOperation } from '../../activities/heal/end-operation.ts';
import { ensureAdminToken } from '../../db/access/admin-token.ts';
import { recordToken, recordTokenRevoked } from '../../db/access/api-tokens.ts';
import type { Author } from '../../db/access/audit.ts';
import { recordTenant } from '../../db/access/tenants.ts';
import { openDatabase } from '../../db/database.ts';
import { type Aims, recordCheck, recordCheckDisabled, recordFirstAgentCheck } from '../../db/fleet/check-settings.ts';
import { recordPaused, recordResumed } from '../../db/fleet/pause.ts';
import { recordVmChanged, recordVmDeleted } from '../../db/fleet/vm-changes.ts';
import { type NewVm, recordVm, withdrawVm } from '../../db/fleet/vm-registration.ts';
import { recordAttemptsReset } from '../../db/heals/attempts-reset.ts';
import { recordIncident } from '../../db/heals/incidents.ts';
import { moveToSent } from '../../db/heals/sending.ts';
import { recordPolicy, recordPolicyChanged, recordPolicyDeleted } from '../../db/policies/policy-changes.ts';
import {
  recordProviderInstance,
  recordProviderInstanceChanged,
  recordProviderInstanceRemoved,
} from '../../db/providers/provider-instances.ts';
import { LOCK_ORDER } from '../../db/transactions.ts';
import { openTestDatabase } from '../support/postgres.ts';
import { seedVm } from '../support/seed-vm.ts';
import { intendedReset } from './intended-operation.ts';
import { newCheck as check } from './new-check.ts';
import { NOON, registerVm } from './watched.ts';

const testDatabase = await openTestDatabase(NOON);
const { database } = testDatabase;
afterAll(testDatabase.close);

const author: Author = { tenantId: 'default', actor: 'a test', nowMs: NOON };
const SAME: Aims = { before: 'here', after: 'here' };
const THERE: Aims = { before: 'here', after: 'there' };
const newVm: NewVm = {
  name: 'new',
  address: null,
  externalId: null,
  site: 'main',
  host: null,
  tags: [],
  provider: { kind: 'none' },
  providerKey: null,
  providerInstanceId: null,
  reportIntervalSeconds: 60,
  keepRunning: false,
};
const policy = {
  name: 'policy',
  enabled: true,
  triggerAfterFailures: 2,
  action: 'restart' as const,
  cooldownMinutes: 1,
  maxAttempts: 3,
  attemptWindowHours: 24,
  notifyOnTrigger: true,
  escalateAfterAttempts: null,
  escalationAction: 'notify_only' as const,
  verifySeconds: 60,
  unhealthyForSeconds: null,
  vmId: null,
  tag: null,
};
/** Policies of one scope have names of their own. */
const named = () => ({ ...policy, name: randomUUID() });

describe('the order of locks', () => {
  /** What each transaction of this handle locked, in order. */
  const locked: string[][] = [];
  const own = openDatabase(testDatabase.url, { applicationName: 'ordered' });
  afterAll(() => own.close());
  own.pool.on('connect', (client) => {
    const query = client.query.bind(client) as (...args: unknown[]) => unknown;
    let tables: string[] | null = null;
    Object.assign(client, {
      query(...args: unknown[]) {
        const [given] = args as [string | { text: string }];
        const text = typeof given === 'string' ? given : given.text;
        if (/^begin/i.test(text)) locked.push((tables = []));
        else if (/^(commit|rollback)$/i.test(text)) tables = null;
        else tables?.push(...lockedBy(text));
        return query(...args);
      },
    });
  });

  function lockedBy(text: string): string[] {
    const changed = /^(?:update|delete from|insert into) "(\w+)"/i.exec(text)?.[1];
    const selected = /for (?:no key )?(?:update|key share|share)/i.test(text) && / from "(\w+)"/i.exec(text)?.[1];
    return [changed ?? selected].filter((table) => typeof table === 'string');
  }

  beforeEach(() => locked.splice(0));

  async function aVm(checks = [{}]): Promise<string> {
    return seedVm(database, {}, checks);
  }

  it.each<[what: string, work: () => Promise<unknown>]>([
    ['registering a VM', () => recordVm(own, newVm, [check], author)],
    [
      'registering a VM at a provider instance',
      async () => {
        const settings = { kind: 'qemu', tenantId: null, name: 'p', site: 'main', config: {}, credentials: null };
        const instance = await recordProviderInstance(database, settings, author);
        return recordVm(own, { ...newVm, providerInstanceId: instance!.id }, [], author);
      },
    ],
    ['taking a registration back', async () => withdrawVm(own, await aVm(), author)],
    ['changing a VM', async () => recordVmChanged(own, { vmId: await aVm(), version: 1 }, { name: 'x' }, [], author)],
    ['deleting a VM', async () => recordVmDeleted(own, { vmId: await aVm(), version: null }, author)],
    ['setting a check', async () => recordCheck(own, { vmId: await aVm(), version: 1 }, check, SAME, author)],
    [
      'enabling a check again',
      async () => {
        const vmId = await aVm([{ ...check, enabled: false }]);
        return recordCheck(own, { vmId, version: 1 }, check, SAME, author);
      },
    ],
    [
      'aiming a check elsewhere, with less time to answer',
      async () => {
        const vmId = await aVm([{ ...check, timeoutSeconds: 9 }]);
        return recordCheck(own, { vmId, version: 1 }, { ...check, timeoutSeconds: 1 }, THERE, author);
      },
    ],
    [
      'starting a VM',
      async () => {
        const vmId = await seedVm(database, { stoppedOnPurposeAt: new Date(NOON) }, [check]);
        return recordVmChanged(own, { vmId, version: 1 }, { stoppedOnPurposeAt: null }, [], author);
      },
    ],
    [
      'giving a VM another address',
      async () => {
        const { vmId, checks } = await registerVm(database, {}, [check]);
        const changes = checks.map(({ checkId }) => ({ checkId, by: 'USER' as const, before: 'here', after: 'there' }));
        return recordVmChanged(own, { vmId, version: 1 }, { address: '192.0.2.9' }, changes, author);
      },
    ],
    [
      'ending an operation that started a VM',
      async () => {
        const { id } = await intendedReset(database, await aVm(), { power: 'start' });
        return endOperation({ database: own, now: () => NOON }, id, {
          kind: 'done',
          detail: 'started',
          conclusive: false,
          presumed: false,
        });
      },
    ],
    [
      'ending an operation that stopped a VM',
      async () => {
        const { id } = await intendedReset(database, await aVm(), { power: 'stop' });
        return endOperation({ database: own, now: () => NOON }, id, {
          kind: 'done',
          detail: 'stopped',
          conclusive: true,
          presumed: false,
        });
      },
    ],
    [
      'disabling a check',
      async () => {
        const vm = await registerVm(database, {}, [check]);
        const { checkId: id, checkType, name } = vm.checks[0]!;
        return recordCheckDisabled(
          own,
          { vmId: vm.vmId, version: vm.settingsVersion },
          { id, checkType, name },
          author,
        );
      },
    ],
    [
      'the first report of an agent',
      async () => recordFirstAgentCheck(own, await aVm([]), { ...check, checkType: 'agent' }, author),
    ],
    ['pausing a VM', async () => recordPaused(own, await aVm(), 'upkeep', author)],
    [
      'resuming a VM',
      async () => {
        const vmId = await aVm();
        await recordPaused(database, vmId, 'upkeep', author);
        return recordResumed(own, vmId, author);
      },
    ],
    [
      'moving an operation to sent',
      async () => {
        return moveToSent(own, await intendedReset(database, await aVm()), 'running');
      },
    ],
    ['resetting attempts', async () => recordAttemptsReset(own, await aVm(), author)],
    ['opening an incident', async () => recordIncident(own, await aVm(), NOON)],
    ['making a policy', () => recordPolicy(own, named(), author)],
    [
      'changing a policy',
      async () =>
        recordPolicyChanged(own, (await recordPolicy(database, named(), author)).id, { cooldownMinutes: 2 }, author),
    ],
    [
      'removing a policy',
      async () => recordPolicyDeleted(own, (await recordPolicy(database, named(), author)).id, author),
    ],
    ['making a tenant', () => recordTenant(own, { id: 'acme', name: 'Acme' }, author)],
    [
      'making a token',
      () =>
        own.orm.transaction((tx) =>
          recordToken(tx, { tenantId: 'default', role: 'USER', vmId: null, name: 't', expiresAtMs: null }, author),
        ),
    ],
    [
      'revoking a token',
      () => recordTokenRevoked(own, '00000000-0000-4000-8000-00000000dead', { operator: true }, author),
    ],
    ['setting the token of the installation', () => ensureAdminToken(own, 'x', new Date(NOON))],
    [
      'changing a provider instance',
      async () => {
        const settings = { kind: 'qemu', tenantId: null, name: 'q', site: 'main', config: {}, credentials: null };
        const instance = await recordProviderInstance(database, settings, author);
        return recordProviderInstanceChanged(own, instance!.id, { name: 'r' }, author);
      },
    ],
    [
      'removing a provider instance',
      async () => {
        const settings = { kind: 'qemu', tenantId: null, name: 's', site: 'main', config: {}, credentials: null };
        const instance = await recordProviderInstance(database, settings, author);
        return recordProviderInstanceRemoved(own, instance!.id, author);
      },
    ],
  ])('is kept by %s', async (_what, work) => {
    await work();
    expect(locked).toHaveLength(1);
    // a row that is locked already is not waited for again
    const tables = [...new Set(locked[0])];
    const places = tables
      .map((table) => LOCK_ORDER.findIndex((known) => known === table))
      .filter((place) => place >= 0);
    expect(places.length).toBeGreaterThan(0);
    expect(places, tables.join(' → ')).toEqual(places.toSorted((a, b) => a - b));
  });
});
