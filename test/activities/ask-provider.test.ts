import { randomUUID } from 'node:crypto';
import { eq } from 'drizzle-orm';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { askProvider } from '../../activities/heal/ask-provider.ts';
import { vms } from '../../db/schema/vms.ts';
import { NOON } from '../db/watched.ts';
import { openTestDatabase } from '../support/postgres.ts';
import { HealWorld, type Patient, running } from './heal-world.ts';

const { database, close } = await openTestDatabase(NOON);
afterAll(close);

let world: HealWorld;
let ill: Patient;
beforeEach(async () => {
  ({ world, ill } = await HealWorld.withIllVm(database));
});

describe('a provider that is asked', () => {
  it('answers with the VM’s state, in its own words too', async () => {
    world.power = running('paused', 'paused (by a snapshot)');
    expect(await askProvider(world.deps, ill.vmId)).toEqual({
      line: 'paused (by a snapshot) (asked at site main)',
      site: 'main',
      fact: { answered: true, power: 'paused', detail: 'paused (by a snapshot)' },
    });
  });

  it('has a reason for giving no answer, also where it is not asked at all', async () => {
    world.power = { ok: false, reason: 'slow', message: 'it took too long' };
    expect((await askProvider(world.deps, ill.vmId)).fact).toEqual({
      answered: false,
      reason: 'slow',
      message: 'it took too long',
    });
    expect((await askProvider(world.deps, randomUUID())).fact).toEqual({
      answered: false,
      reason: 'unsupported',
      message: 'there is no such VM',
    });
    await database.orm.update(vms).set({ site: 'there' }).where(eq(vms.id, ill.vmId));
    expect((await askProvider(world.deps, ill.vmId)).fact).toMatchObject({
      reason: 'unsupported',
      message: 'its provider is reached from site there now',
    });
  });
});
