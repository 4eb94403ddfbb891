import { Connection } from '@temporalio/client';
import { Client } from 'pg';
import { expect, inject, it } from 'vitest';
import { createTestDatabase } from '../support/postgres.ts';
import { describeNeeding } from '../support/requirements.ts';
import { startVirtualTime } from '../support/virtual-world.ts';

it('gives every test file a migrated database of its own', async () => {
  const [first, second] = await Promise.all([createTestDatabase(), createTestDatabase()]);
  const client = new Client({ connectionString: first.url });
  await client.connect();
  const tables = await client.query("select 1 from pg_tables where tablename = 'vms'");
  expect(tables.rowCount).toBe(1);
  await client.end();
  expect(first.url).not.toBe(second.url);
  await Promise.all([first.drop(), second.drop()]);
  await expect(new Client({ connectionString: first.url }).connect()).rejects.toThrow('does not exist');
});

describeNeeding(['temporal'], 'the Temporal server of the run', () => {
  it('serves its namespace', async () => {
    const temporal = inject('temporal');
    if (!temporal.ok) throw new Error(temporal.reason);
    const { address, namespace } = temporal;
    const connection = await Connection.connect({ address });
    const found = await connection.workflowService.describeNamespace({ namespace });
    expect(found.namespaceInfo?.name).toBe(namespace);
    await connection.close();
  });
});

describeNeeding(['virtual-time'], 'the server with virtual time', () => {
  it('skips an hour', async () => {
    const environment = await startVirtualTime();
    const before = await environment.currentTimeMs();
    await environment.sleep('1 hour');
    const after = await environment.currentTimeMs();
    expect(Math.round((after - before) / 60_000)).toBe(60);
    await environment.teardown();
  });
});
