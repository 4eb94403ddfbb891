/* One file, however long: bundling the builds and starting their server takes most of its time, and is done once. */

import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { NativeConnection } from '@temporalio/worker';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import type { Activities, LookInput } from '../../activities/contract.ts';
import type { Dependencies } from '../../activities/dependencies.ts';
import { reconcile } from '../../activities/reconcile.ts';
import type { Database } from '../../db/database.ts';
import { incidents } from '../../db/schema/heals.ts';
import { CORE_TASK_QUEUE, healWorkflowId, RECONCILE_WORKFLOW_ID, vmWorkflowId } from '../../domain/ids.ts';
import { findTemporalProgram } from '../../local/temporal-finder.ts';
import { until } from '../../local/until.ts';
import { ensureReconciling } from '../../temporal/reconcile-run.ts';
import { healSignals, type VmView, vmQueries, vmSignals, WORKFLOW } from '../../workflows/messages.ts';
import { openTestDatabase } from '../support/postgres.ts';
import { type OwnTemporal, startOwnTemporal } from '../support/real-world.ts';
import { describeNeeding } from '../support/requirements.ts';
import { installQuietRuntime, runWorkers } from '../support/run-workers.ts';
import { health, NOT_ASKED, steady, VM_RUNS } from '../support/scripted-activities.ts';
import { seedVm } from '../support/seed-vm.ts';
import { reconcilingOn } from './reconciling.ts';

const run = promisify(execFile);
const DEPLOYMENT = 'defib';

/** Builds of today's workflows that differ in one thing, each with workers of its own; `none` is as without versions. */
const BUILDS = {
  none: [],
  a: [],
  'with-a-patch': [fileURLToPath(new URL('./builds/patched.ts', import.meta.url))],
  broken: [fileURLToPath(new URL('./builds/broken.ts', import.meta.url))],
} as const;

type Build = keyof typeof BUILDS;

describeNeeding(['temporal'], 'builds that run side by side', () => {
  let temporal: OwnTemporal;
  let cli: string;
  const stops: (() => Promise<void>)[] = [];
  let database: Database;
  let deps: Dependencies;
  let logged: string[];

  /** What looks find of a VM; healthy unless set. */
  let ill: Set<string>;
  let looks: LookInput[];
  /** Which build decided, in order. */
  let decided: Build[];
  /** Which build reconciled, in order. */
  let reconciled: Build[];
  let release: () => void;
  let retaining: Promise<void>;

  const activitiesOf = (build: Build): Activities => ({
    ...NOT_ASKED,
    ...VM_RUNS,
    async watch(input) {
      looks.push(input);
      const isIll = ill.has(input.vmId);
      const seq = isIll ? 2 : 1;
      if (input.deliveredSeq < seq || input.now) return health(seq, isIll ? 'unhealthy' : 'healthy', isIll);
      return steady(200);
    },
    storePause: async () => undefined,
    openIncident: async () => ({ incident: 1 }),
    async decide() {
      decided.push(build);
      return { kind: 'hold', reason: 'cooldown', lookAgainInMs: 86_400_000, line: 'holds' };
    },
    async reconcile() {
      reconciled.push(build);
      return steady(200);
    },
    async applyRetention() {
      await retaining;
      return { line: `kept by ${build}` };
    },
  });

  beforeAll(async () => {
    installQuietRuntime();
    temporal = await startOwnTemporal();
    cli = (await findTemporalProgram()).path;
    for (const build of Object.keys(BUILDS) as Build[]) {
      const connection = await NativeConnection.connect({ address: temporal.address });
      const version = build === 'none' ? undefined : { deploymentName: DEPLOYMENT, buildId: build };
      const options = { interceptors: [...BUILDS[build]], version, shutdownGraceMs: 500 };
      const stop = await runWorkers(connection, activitiesOf(build), options);
      stops.push(async () => {
        await stop();
        await connection.close();
      });
    }
  }, 120_000);

  afterAll(async () => {
    await Promise.all(stops.map((stop) => stop()));
    await temporal?.stop();
  });

  beforeEach(async () => {
    const test = await openTestDatabase();
    database = test.database;
    ill = new Set();
    looks = [];
    decided = [];
    reconciled = [];
    retaining = new Promise((resolve) => {
      release = resolve;
    });
    ({ deps, logged } = reconcilingOn(database, temporal.client));
    return async () => {
      release();
      await temporalCli(
        'workflow',
        'terminate',
        '-q',
        "ExecutionStatus='Running'",
        '--reason',
        'test is over',
        '--yes',
      );
      await test.close();
    };
  });

  async function temporalCli(...args: string[]): Promise<string> {
    return (await run(cli, [...args, '--address', temporal.address])).stdout;
  }

  /** As an operator does it; a build that has just started is known a moment later. */
  async function makeCurrent(build: Build): Promise<void> {
    const which = build === 'none' ? ['--unversioned'] : ['--build-id', build];
    const set = ['worker', 'deployment', 'set-current-version', '--deployment-name', DEPLOYMENT, ...which, '--yes'];
    await until(() =>
      temporalCli(...set).then(
        () => true,
        () => false,
      ),
    );
  }

  /** Registers a VM and has its workflow started, as the API does. */
  async function watchVm(): Promise<string> {
    const vmId = await seedVm(database, { announcedVersion: 1, updatedAt: new Date() });
    await deps.temporal.announce({ vmId, tenantId: 'default', site: 'main', version: 1 });
    await until(() => lookedAt(vmId, 1));
    return vmId;
  }

  /** A VM that is ill, with a heal that holds. */
  async function watchIllVm(): Promise<string> {
    const vmId = await watchVm();
    const before = decided.length;
    await database.orm.insert(incidents).values({ vmId, incident: 1, tenantId: 'default', openedAt: new Date() });
    ill.add(vmId);
    await until(() => decided.length > before);
    await until(() => lookedAt(vmId, 2));
    return vmId;
  }

  /** Whether it was looked at since all looks were forgotten, after the workflow had acted on that transition. */
  const lookedAt = (vmId: string, seq: number) => looks.some((look) => look.vmId === vmId && look.deliveredSeq === seq);

  const handleOf = (workflowId: string) => temporal.client.workflow.getHandle(workflowId);
  const vm = (vmId: string) => handleOf(vmWorkflowId(vmId));
  const heal = (vmId: string) => handleOf(healWorkflowId(vmId, 1));
  const viewOf = (vmId: string) => vm(vmId).query<VmView>(vmQueries.state);

  /** The build that did the workflow's last task; `none` before there was one with a version. */
  async function buildOf(workflowId: string): Promise<string> {
    const { raw } = await handleOf(workflowId).describe();
    return raw.workflowExecutionInfo?.versioningInfo?.deploymentVersion?.buildId ?? 'none';
  }

  const untilOn = (build: Build, workflowId: string) => until(async () => (await buildOf(workflowId)) === build);
  const isStuck = async (workflowId: string) => (await deps.temporal.inspect([workflowId]))[0]?.failsTasks ?? false;

  it('take over what ran without versions, and give it back', async () => {
    await makeCurrent('none');
    const vmId = await watchVm();
    expect(await buildOf(vmWorkflowId(vmId))).toBe('none');
    await makeCurrent('a');
    await vm(vmId).signal(vmSignals.lookNow);
    await untilOn('a', vmWorkflowId(vmId));
    expect(await viewOf(vmId)).toMatchObject({ status: 'healthy', settingsVersion: 1 });
    await makeCurrent('none');
    await vm(vmId).signal(vmSignals.lookNow);
    await untilOn('none', vmWorkflowId(vmId));
    looks = [];
    await until(() => lookedAt(vmId, 1));
  });

  it('move running VMs and heals to the build that is made current, with all they know', async () => {
    await makeCurrent('a');
    const vmId = await watchIllVm();
    await untilOn('a', healWorkflowId(vmId, 1));
    await vm(vmId).signal(vmSignals.pause, { reason: 'rack move' });
    await until(async () => (await viewOf(vmId)).paused);
    await makeCurrent('with-a-patch');

    await vm(vmId).signal(vmSignals.resume);
    await untilOn('with-a-patch', vmWorkflowId(vmId));
    await untilOn('with-a-patch', healWorkflowId(vmId, 1));
    expect(await viewOf(vmId)).toMatchObject({ status: 'unhealthy', incident: 1, settingsVersion: 1, paused: null });
    await until(() => decided.at(-1) === 'with-a-patch');
    expect((await vm(vmId).describe()).memo).not.toHaveProperty('build');

    const another = await watchVm();
    expect(await buildOf(vmWorkflowId(another))).toBe('with-a-patch');
    expect((await vm(another).describe()).memo).toMatchObject({ build: 'with a patch' });
  });

  it('hand on the run that reconciles, from without versions to the current build, on to the next one, and back', async () => {
    await makeCurrent('none');
    await ensureReconciling(temporal.client);
    const triedBy = (build: Build) => until(() => reconciled.at(-1) === build);
    await triedBy('none');
    await makeCurrent('a');
    await triedBy('a');
    await makeCurrent('with-a-patch');
    await triedBy('with-a-patch');
    expect(await buildOf(RECONCILE_WORKFLOW_ID)).toBe('with-a-patch');
    expect(await isStuck(RECONCILE_WORKFLOW_ID)).toBe(false);
    await makeCurrent('a');
    await triedBy('a');
  });

  it('end short workflows where they began', async () => {
    await makeCurrent('a');
    const handle = await temporal.client.workflow.start(WORKFLOW.retain, {
      workflowId: 'retain-under-way',
      taskQueue: CORE_TASK_QUEUE,
    });
    await untilOn('a', 'retain-under-way');
    await makeCurrent('with-a-patch');
    release();
    expect(await handle.result()).toBe('kept by a');
    const next = { workflowId: 'retain-next', taskQueue: CORE_TASK_QUEUE };
    expect(await temporal.client.workflow.execute(WORKFLOW.retain, next)).toBe('kept by with-a-patch');
  });

  it('go back: at once what passed no new patch, the rest once it is reset to before that build', async () => {
    await makeCurrent('a');
    const moved = await watchVm();
    await makeCurrent('with-a-patch');
    await vm(moved).signal(vmSignals.lookNow);
    await untilOn('with-a-patch', vmWorkflowId(moved));
    const begun = await watchIllVm();
    await vm(begun).signal(vmSignals.pause, { reason: 'rack move' });
    await untilOn('with-a-patch', healWorkflowId(begun, 1));

    await makeCurrent('a');
    await vm(moved).signal(vmSignals.lookNow);
    await untilOn('a', vmWorkflowId(moved));
    await vm(begun).signal(vmSignals.lookNow);
    await until(() => isStuck(vmWorkflowId(begun)));
    await resetToBefore('with-a-patch');
    await untilOn('a', vmWorkflowId(begun));
    await untilOn('a', healWorkflowId(begun, 1));
    expect(await viewOf(begun)).toMatchObject({ paused: 'rack move' });
    looks = [];
    await vm(begun).signal(vmSignals.resume);
    await until(() => lookedAt(begun, 2));
    await until(() => lookedAt(moved, 1));
    expect(await viewOf(begun)).toMatchObject({ status: 'unhealthy', incident: 1 });
  });

  it('are noticed when one can’t replay what runs, and lose no VM', async () => {
    await makeCurrent('a');
    const [busy, quiet] = [await watchIllVm(), await watchVm()];
    expect((await reconcile(deps)).line).toMatch(/stuck 0$/);

    await makeCurrent('broken');
    const begun = await watchVm();
    await vm(busy).signal(vmSignals.lookNow);
    await heal(busy).signal(healSignals.news, { what: 'health' });
    await until(() => isStuck(vmWorkflowId(busy)));
    await until(() => isStuck(healWorkflowId(busy, 1)));
    expect((await reconcile(deps)).line).toMatch(/stuck 2$/);
    await reconcile(deps);
    const alerts = logged.filter((line) => line.includes("can't go on"));
    expect(alerts).toEqual([expect.stringContaining(vmWorkflowId(busy))]);
    looks = [];
    await until(() => lookedAt(quiet, 1));

    await makeCurrent('a');
    await resetToBefore('broken');
    for (const workflowId of [vmWorkflowId(busy), healWorkflowId(busy, 1), vmWorkflowId(begun)]) {
      await untilOn('a', workflowId);
    }
    looks = [];
    await until(() => lookedAt(busy, 2) && lookedAt(quiet, 1) && lookedAt(begun, 1));
    expect(await viewOf(busy)).toMatchObject({ status: 'unhealthy', incident: 1 });
    expect((await reconcile(deps)).line).toMatch(/stuck 0$/);
    expect(logged.filter((line) => /workflows-stuck.*is over/.test(line))).toHaveLength(1);
  }, 120_000);

  /** Takes back what workflows did on a build, as docs/upgrading.md tells operators to. */
  async function resetToBefore(build: Build): Promise<void> {
    const query = `TemporalWorkerDeploymentVersion='${DEPLOYMENT}:${build}' AND ExecutionStatus='Running'`;
    const to = ['--type', 'BuildId', '--build-id', build, '--reason', 'rolled back'];
    await temporalCli('workflow', 'reset', '-q', query, ...to, '--yes');
  }
});
