import { defaultPayloadConverter, type Payload } from '@temporalio/common';
import { describe, expect, it } from 'vitest';
import { healWorkflowId, vmWorkflowId } from '../../domain/ids.ts';
import { until } from '../../local/until.ts';
import { createCircuit } from '../../temporal/circuit.ts';
import { createVmSignals } from '../../temporal/vm-signals.ts';
import { healSignals, type VmHealthInput, vmSignals } from '../../workflows/messages.ts';
import { describeNeeding } from '../support/requirements.ts';
import { health, steady } from '../support/scripted-activities.ts';
import { useScriptedVm, type VmHandle } from './scripted-vm.ts';

describeNeeding(['temporal'], 'what lists and the Web UI show', () => {
  const { vm, admit, details, newRun, retire, client, view } = useScriptedVm();

  /** Has its workflow started as the API does. */
  async function announce(name?: string): Promise<VmHandle> {
    const named = name === undefined ? {} : { name };
    const identity = { vmId: vm.id, tenantId: 'default', site: 'main', ...named };
    const signals = createVmSignals(client(), createCircuit(client()));
    expect(await signals.announce({ ...identity, version: 1, lookSooner: false })).toEqual({ ok: true });
    return client().workflow.getHandle(vmWorkflowId(vm.id));
  }

  const heal = () => client().workflow.getHandle(healWorkflowId(vm.id, 1));
  const shownOf = async (handle: Pick<VmHandle, 'describe'>) => {
    const { memo, searchAttributes, staticSummary } = await handle.describe();
    const { VmName, VmStatus } = searchAttributes;
    return { memo, VmName: VmName?.[0], VmStatus: VmStatus?.[0], summary: await staticSummary() };
  };

  async function found(query: string): Promise<string[]> {
    const ids: string[] = [];
    for await (const { workflowId } of client().workflow.list({ query })) ids.push(workflowId);
    return ids;
  }

  /** How often its history says how lists show it. */
  async function recordsOf(handle: Pick<VmHandle, 'fetchHistory'>): Promise<number> {
    const { events } = await handle.fetchHistory();
    return (events ?? []).filter((event) => event.upsertWorkflowSearchAttributesEventAttributes).length;
  }

  /** Summaries of the activities that were scheduled, in order. */
  async function summaries(handle: Pick<VmHandle, 'fetchHistory'>): Promise<string[]> {
    const { events } = await handle.fetchHistory();
    return (events ?? []).flatMap(({ activityTaskScheduledEventAttributes: scheduled, userMetadata }) =>
      scheduled && userMetadata?.summary
        ? [defaultPayloadConverter.fromPayload<string>(userMetadata.summary as Payload)]
        : [],
    );
  }

  describe('a VM', () => {
    it('is told by its name from the start, before it was looked at', async () => {
      const name = `web-${vm.id}`;
      const handle = await announce(name);
      await until(() => vm.looks.length >= 1);
      expect(vm.looks[0]?.name).toBe(name);
      expect(await shownOf(handle)).toMatchObject({
        memo: { VmName: name },
        VmName: name,
        summary: `${name}: health and healing`,
      });
      expect(await details(handle)).toBe(`**${name}** not looked at yet`);
      await until(async () => (await found(`VmName = "${name}"`)).length === 1);
      // a whole name, not one of its words
      expect(await found('VmName = "web"')).toEqual([]);
      // nothing was news yet, so it is known from its input alone
      await handle.signal(vmSignals.renew);
      await until(() => vm.looks.length >= 2);
      expect(vm.looks[1]?.name).toBe(name);
      await retire(handle);
    });

    it('is told by its new name once a look has read it, also after it continued as new', async () => {
      vm.onLook = (input) => {
        if (input.deliveredSeq === 0) return health(1, 'healthy', false, 'old name');
        return input.name === 'new name' ? steady('1 hour') : health(1, 'healthy', false, 'new name');
      };
      const handle = await admit({ name: 'oldest name' });
      await until(() => vm.looks.at(-1)?.name === 'new name');
      expect(await shownOf(handle)).toMatchObject({ VmName: 'new name', memo: { VmName: 'new name' } });
      await handle.signal(vmSignals.renew);
      await newRun(handle);
      await until(async () => (await shownOf(handle)).memo?.['VmName'] === 'new name');
      expect((await shownOf(handle)).VmName).toBe('new name');
      await retire(handle);
    });

    it('with a name longer than a summary may be is watched all the same', async () => {
      const handle = await announce('名'.repeat(255));
      await until(() => vm.looks.length >= 1);
      expect((await shownOf(handle)).summary).toMatch(/^名+…: health and healing$/);
      await retire(handle);
    });

    it('is listed as paused while it is, and by its health again afterwards', async () => {
      vm.onLook = (input) => (input.deliveredSeq === 0 || input.now ? health(1, 'degraded') : steady('1 hour'));
      const handle = await admit();
      await until(async () => (await shownOf(handle)).VmStatus === 'degraded');
      await handle.signal(vmSignals.pause, { reason: 'rack move' });
      await until(async () => (await shownOf(handle)).VmStatus === 'paused');
      expect((await shownOf(handle)).memo).toMatchObject({ status: 'paused' });
      expect(await view(handle)).toMatchObject({ status: 'degraded', paused: 'rack move' });
      await handle.signal(vmSignals.resume);
      await until(async () => (await shownOf(handle)).VmStatus === 'degraded');
      expect((await shownOf(handle)).memo).toMatchObject({ status: 'degraded' });
      await retire(handle);
    });

    it('is listed as paused also where the database said so, and after it continued as new', async () => {
      vm.onLook = () => ({ kind: 'paused', reason: 'rack move' });
      const handle = await admit();
      await until(async () => (await shownOf(handle)).VmStatus === 'paused');
      await handle.signal(vmSignals.renew);
      await newRun(handle);
      await until(() => vm.looks.length === 2);
      expect((await shownOf(handle)).VmStatus).toBe('paused');
      // put on record once by each run, however often it is found so
      const records = await recordsOf(handle);
      for (const version of [2, 3, 4]) {
        await handle.signal(vmSignals.settingsChanged, { version, site: 'main', lookSooner: false });
        await until(() => vm.looks.length === version + 1);
      }
      expect(await recordsOf(handle)).toBe(records);
      await retire(handle);
    });

    it('has in the summary of each look what was seen before it', async () => {
      vm.onLook = (input) => {
        if (input.deliveredSeq > 0) return steady('1 hour');
        return { ...health(1, 'unhealthy', true), line: 'unhealthy · http timeout (2s)' } as ReturnType<typeof health>;
      };
      const handle = await admit();
      await until(() => vm.looks.length >= 2);
      expect(await summaries(handle)).toEqual([
        'not looked at yet',
        'opens an incident: unhealthy · http timeout (2s)',
        expect.stringMatching(/^ill since \d\d:\d\d UTC: http timeout \(2s\)$/),
      ]);
      await retire(handle);
      expect(await handle.result()).toBe('not watched any more: the VM was deleted');
    });
  });

  describe('since when a VM has its status', () => {
    /** What a next run is given. */
    async function sinceMs(handle: VmHandle): Promise<number | null> {
      const { runId } = await handle.describe();
      await handle.signal(vmSignals.renew);
      await until(async () => (await handle.describe()).runId !== runId);
      const [started] = (await handle.fetchHistory()).events ?? [];
      const [input] = started?.workflowExecutionStartedEventAttributes?.input?.payloads ?? [];
      const given = defaultPayloadConverter.fromPayload<VmHealthInput>(input as Payload);
      return given.carried?.statusSinceMs ?? null;
    }

    it('is when its first look found it, and stays so while it is the same', async () => {
      vm.onLook = (input) => (input.deliveredSeq === 0 || input.now ? health(1, 'degraded') : steady('1 hour'));
      const handle = await admit();
      await until(() => vm.looks.length >= 2);
      const first = await sinceMs(handle);
      expect(first).toEqual(expect.any(Number));
      const looks = vm.looks.length;
      await handle.signal(vmSignals.lookNow);
      await until(() => vm.looks.length >= looks + 2);
      expect(await sinceMs(handle)).toBe(first);
      await retire(handle);
    });

    it('is not known to a workflow that began when it had changed already', async () => {
      vm.onLook = (input) => (input.deliveredSeq === 0 ? health(5, 'unhealthy') : steady('1 hour'));
      const handle = await admit();
      await until(() => vm.looks.length >= 2);
      expect(await sinceMs(handle)).toBeNull();
      await retire(handle);
    });
  });

  describe('a heal', () => {
    it('is told by the name of its VM', async () => {
      const name = `db-${vm.id}`;
      vm.onLook = (input) => (input.deliveredSeq === 0 ? health(1, 'unhealthy', true, name) : steady('1 hour'));
      const handle = await announce();
      await until(() => vm.decided === 1);
      expect(await shownOf(heal())).toMatchObject({
        memo: { VmName: name },
        VmName: name,
        summary: `${name}: heals incident 1`,
      });
      const both = [healWorkflowId(vm.id, 1), vmWorkflowId(vm.id)];
      await until(async () => (await found(`VmName = "${name}"`)).length === 2);
      expect((await found(`VmName = "${name}"`)).toSorted()).toEqual(both);
      expect(await summaries(heal())).toEqual(['asks the hypervisor how the VM is', 'asks every guard what to do']);
      // and the looks say when they are to show whether a remedy helped
      const looks = vm.looks.length;
      await handle.signal(vmSignals.watchClosely, { incident: 1, untilMs: Date.now() + 3_600_000 });
      await until(() => vm.looks.length > looks);
      expect((await summaries(handle)).at(-1)).toMatch(/ · looks closely: a remedy was tried$/);
      await heal().terminate();
      await retire(handle);
    });
  });

  describe('a signal that is not known', () => {
    const SECRET = 'hunter2';
    const detailsOf = async (workflowId: string) =>
      (await client().workflow.getHandle(workflowId).query<{ currentDetails: string }>('__temporal_workflow_metadata'))
        .currentDetails;

    it('is told in the details of a VM by its name alone, and changes nothing else', async () => {
      const handle = await admit();
      await until(() => vm.looks.length >= 1);
      await handle.signal('shutdown', { password: SECRET });
      await until(async () => (await details(handle)).includes('`shutdown` at '));
      expect(await details(handle)).toContain('**warning**');
      expect(await details(handle)).not.toContain(SECRET);
      await handle.signal('shutdown', SECRET);
      await until(async () => (await details(handle)).includes('`shutdown` (2 times'));
      await handle.signal(vmSignals.lookNow);
      await until(() => vm.looks.length >= 2);
      await retire(handle);
    });

    it('is told in the details of a heal, which goes on', async () => {
      vm.onLook = (input) => (input.deliveredSeq === 0 ? health(1, 'unhealthy', true) : steady('1 hour'));
      const handle = await admit();
      await until(() => vm.decided === 1);
      await heal().signal('stop', { password: SECRET });
      await until(async () => (await detailsOf(healWorkflowId(vm.id, 1))).includes('`stop` at '));
      expect(await detailsOf(healWorkflowId(vm.id, 1))).not.toContain(SECRET);
      await heal().signal(healSignals.news, { what: 'health' });
      await until(() => vm.decided === 2);
      await heal().terminate();
      await retire(handle);
    });

    it('that came before the workflow began is told too, and those that are known are not lost', async () => {
      const started = client().workflow.signalWithStart<(input: unknown) => Promise<string>, unknown[]>('vmHealth', {
        workflowId: vmWorkflowId(vm.id),
        taskQueue: 'defib-core',
        args: [{ vmId: vm.id, tenantId: 'default', site: 'main' }],
        signal: 'unheard-of',
        signalArgs: [],
      });
      await started;
      const handle: VmHandle = client().workflow.getHandle(vmWorkflowId(vm.id));
      await handle.signal(vmSignals.lookNow);
      await until(() => vm.looks.some((look) => look.now));
      expect(await details(handle)).toContain('`unheard-of` at ');
      await retire(handle);
    });
  });
});
