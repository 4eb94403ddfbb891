import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import type { Activities, HealDecision, ProviderAnswer } from '../../activities/contract.ts';
import { CORE_TASK_QUEUE, healWorkflowId } from '../../domain/ids.ts';
import type { healVm } from '../../workflows/index.ts';
import { WORKFLOW } from '../../workflows/messages.ts';
import { type OwnTemporal, startOwnTemporal, startWorkersOn } from '../support/real-world.ts';
import { describeNeeding } from '../support/requirements.ts';
import { NOT_ASKED } from '../support/scripted-activities.ts';

const CLOSE: HealDecision = { kind: 'close', reason: 'recovered', line: 'over (recovered)' };

/** What the worker of a site was asked for, as `<site>: <what>`. */
let asked: string[];
/** What each decision was made with. */
let answers: (ProviderAnswer | undefined)[];
let onDecide: (provider: ProviderAnswer | undefined, count: number) => HealDecision;

function activitiesOf(site: string): Activities {
  return {
    ...NOT_ASKED,
    async askProvider() {
      asked.push(`${site}: ask`);
      return { site, fact: { answered: true, power: 'running', detail: 'running' } };
    },
    async decide({ provider }) {
      answers.push(provider);
      return onDecide(provider, answers.length);
    },
    async carryOut({ operationId }) {
      asked.push(`${site}: ${operationId}`);
      return { state: 'done', detail: 'confirmed' };
    },
    async resolveOperation({ operationId }) {
      asked.push(`resolve ${operationId}`);
      return { state: 'abandoned', detail: 'never sent' };
    },
    verify: async () => ({ settled: true, line: 'helped' }),
  };
}

// the time-skipping server is one for all: who takes a task within 10 s is tested on a real one
describeNeeding(['temporal'], 'the provider of a VM that is healed', () => {
  let temporal: OwnTemporal;
  const stops: (() => Promise<void>)[] = [];

  beforeAll(async () => {
    temporal = await startOwnTemporal();
    for (const site of ['main', 'dmz']) stops.push(await startWorkersOn(temporal, activitiesOf(site), site));
  }, 120_000);

  afterAll(async () => {
    for (const stop of stops) await stop();
    await temporal?.stop();
  });

  beforeEach(() => {
    asked = [];
    answers = [];
  });

  async function heal(site: string): Promise<string> {
    const vmId = randomUUID();
    const handle = await temporal.client.workflow.start<typeof healVm>(WORKFLOW.healVm, {
      workflowId: healWorkflowId(vmId, 1),
      taskQueue: CORE_TASK_QUEUE,
      args: [{ vmId, tenantId: 'default', site, incident: 1 }],
    });
    return handle.result();
  }

  const act = (site: string | null): HealDecision => ({
    kind: 'act',
    operationId: 'op/1',
    action: 'restart',
    verifyMs: 0,
    line: 'acts',
    site,
  });

  it('is asked, and told what to do, by workers of its site', async () => {
    onDecide = (_, count) => (count === 1 ? act('dmz') : CLOSE);
    await heal('dmz');
    expect(asked).toEqual(['dmz: ask', 'dmz: op/1', 'dmz: ask']);
    expect(answers[0]).toMatchObject({ site: 'dmz', fact: { answered: true } });
  });

  it('is found at another site than its VM, once', async () => {
    onDecide = (provider, count) => {
      if (provider?.site !== 'dmz') return { kind: 'ask', site: 'dmz', line: 'asks at dmz' };
      return count === 2 ? act('dmz') : CLOSE;
    };
    await heal('main');
    expect(asked).toEqual(['main: ask', 'dmz: ask', 'dmz: op/1', 'dmz: ask']);
  });

  it('has not answered when no worker of its site takes the question', async () => {
    onDecide = () => CLOSE;
    await heal('nowhere');
    expect(asked).toEqual([]);
    expect(answers).toEqual([
      {
        site: 'nowhere',
        fact: {
          answered: false,
          reason: 'unreachable',
          message: 'no worker of site nowhere took the question within 10 s: start a worker there, or correct the site',
        },
      },
    ]);
  }, 60_000);

  it('is sent nothing when no worker of its site takes the order: that is resolved', async () => {
    onDecide = (_, count) => (count === 1 ? act('nowhere') : CLOSE);
    await heal('main');
    expect(asked).toEqual(['main: ask', 'resolve op/1', 'main: ask']);
  }, 60_000);
});
