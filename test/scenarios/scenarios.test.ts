import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ApplicationFailure } from '@temporalio/common';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { incidents } from '../../db/schema/heals.ts';
import { healWorkflowId, vmWorkflowId } from '../../domain/ids.ts';
import { replayAll } from '../support/replay-all.ts';
import { describeNeeding } from '../support/requirements.ts';
import { startVirtualWorld, type VirtualWorld } from '../support/virtual-world.ts';
import { play, VM_ID } from './world/play.ts';
import { createScenarioWorld, type ScenarioWorld } from './world/scenario-world.ts';
import { readScript } from './world/script.ts';

const HERE = import.meta.dirname;
const names = readdirSync(HERE, { withFileTypes: true })
  .filter((entry) => entry.isDirectory() && entry.name !== 'world')
  .map((entry) => entry.name);

/** An action is written within 2 s of its move to `sent`. */
const isMomentAfter = (atMs: number, sentAtMs: number) => atMs >= sentAtMs && atMs - sentAtMs <= 2_000;

describeNeeding(['virtual-time'], 'scenario', () => {
  let virtual: VirtualWorld;
  let world: ScenarioWorld;

  // a server each, and workflows are left as they are at the end: see docs/design-notes.md on this server
  beforeEach(async () => {
    virtual = await startVirtualWorld(() => ({
      watch(input) {
        if (world.unmanned) throw ApplicationFailure.create({ message: 'nobody is here', nextRetryDelay: '30s' });
        if (world.lostLooks > 0) {
          world.lostLooks--;
          throw ApplicationFailure.create({ message: 'the worker was killed' });
        }
        return world.activities.watch(input);
      },
      storePause: (input) => world.activities.storePause(input),
      openIncident: (input) => world.activities.openIncident(input),
      askProvider: (input) => world.activities.askProvider(input),
      callProvider: (input) => world.activities.callProvider(input),
      decide: (input) => world.activities.decide(input),
      carryOut: (input) => world.activities.carryOut(input),
      readBack: (input) => world.activities.readBack(input),
      resolveOperation: (input) => world.activities.resolveOperation(input),
      verify: (input) => world.activities.verify(input),
      applyRetention: () => world.activities.applyRetention(),
      reconcile: () => world.activities.reconcile(),
    }));
  }, 60_000);

  afterEach(() => virtual?.stop());

  it.each(names)(
    '%s',
    async (name) => {
      const folder = join(HERE, name);
      expect(existsSync(join(folder, 'README.md')), 'a scenario tells its intent in README.md').toBe(true);
      const script = readScript(readFileSync(join(folder, 'faults'), 'utf8'));
      world = await createScenarioWorld(virtual.env);
      try {
        const log = await play(virtual.env, world, script);
        await holdsAlways(world);
        await replayAll(virtual.env.client, await workflowsOf(world));
        const golden = join(folder, 'expected.log');
        if (process.env['UPDATE_GOLDEN'] === '1') writeFileSync(golden, log);
        expect(existsSync(golden), 'no expected.log: read the log, then bless it with UPDATE_GOLDEN=1').toBe(true);
        expect(log).toBe(readFileSync(golden, 'utf8'));
      } finally {
        await world.close();
      }
    },
    60_000,
  );

  /**
   * Expects in every scenario: each power command is that of one operation, sent a moment before, and no operation has two; no
   * incident is left open of a healthy VM.
   */
  async function holdsAlways({ database, site }: ScenarioWorld): Promise<void> {
    const { rows: sent } = await database.pool.query<{ id: string; power: string; at: Date }>(
      `SELECT id, power, sent_at AS at FROM operations
       WHERE power IS NOT NULL AND sent_at IS NOT NULL AND state <> 'abandoned'`,
    );
    const withoutCommand = new Set(sent);
    for (const { action, atMs } of site.powerCommands) {
      const own = [...withoutCommand].find(({ power, at }) => power === action && isMomentAfter(atMs, at.getTime()));
      expect(own, `the ${action} at ${new Date(atMs).toISOString()} is that of an operation`).toBeDefined();
      if (own) withoutCommand.delete(own);
    }
    const wrong = await database.pool.query(
      `SELECT 1 FROM incidents i JOIN vm_status s USING (vm_id) WHERE i.closed_at IS NULL AND s.status = 'healthy'`,
    );
    expect(wrong.rowCount).toBe(0);
  }
});

async function workflowsOf({ database }: ScenarioWorld): Promise<string[]> {
  const opened = await database.orm.select({ incident: incidents.incident }).from(incidents);
  return [vmWorkflowId(VM_ID), ...opened.map(({ incident }) => healWorkflowId(VM_ID, incident))];
}
