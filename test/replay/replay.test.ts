import { readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import proto from '@temporalio/proto';
import { Worker } from '@temporalio/worker';
import { DeterminismViolationError } from '@temporalio/workflow';
import { describe, expect, it } from 'vitest';
import { workflowBundle } from '../../workers/workflow-bundle.ts';

const HISTORIES = join(import.meta.dirname, '..', 'histories');

type History = proto.temporal.api.history.v1.IHistory;

const files = readdirSync(HISTORIES, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.history'));
const read = (file: string): History =>
  proto.temporal.api.history.v1.History.decode(readFileSync(join(HISTORIES, file)));

async function replay(history: History): Promise<void> {
  const bundle = await workflowBundle(join(tmpdir(), 'defib-test-bundles'));
  await Worker.runReplayHistory({ workflowBundle: bundle, reuseV8Context: true }, history, 'replayed');
}

describe('today’s workflows replay what a released version recorded', () => {
  it('of which there is something', () => {
    expect(files.length).toBeGreaterThanOrEqual(3);
  });

  it.each(files)('%s', async (file) => {
    await replay(read(file));
  });

  it('also where a newer API started it with the name of its VM', async () => {
    const history = read(String(files.find((name) => name.includes('steady'))));
    const [input] = history.events?.[0]?.workflowExecutionStartedEventAttributes?.input?.payloads ?? [];
    const given = JSON.parse(Buffer.from(input!.data!).toString());
    input!.data = Buffer.from(JSON.stringify({ ...given, name: 'web-1' }));
    await replay(history);
  });

  it('and say so when they can’t', async () => {
    const file = files.find((name) => name.includes('heal'));
    const history = read(String(file));
    for (const { activityTaskScheduledEventAttributes: scheduled } of history.events ?? []) {
      if (scheduled?.activityType?.name === 'decide') scheduled.activityType.name = 'guess';
    }
    await expect(replay(history)).rejects.toThrow(DeterminismViolationError);
  });
});
