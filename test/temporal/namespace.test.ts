import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Connection } from '@temporalio/client';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { until } from '../../local/until.ts';
import { ensureSearchAttributes } from '../../temporal/namespace.ts';
import { type OwnTemporal, startOwnTemporal } from '../support/real-world.ts';
import { describeNeeding } from '../support/requirements.ts';
import { createAuthority } from '../support/tls/authority.ts';
import { startTemporalFront, type TemporalFront } from '../support/tls/temporal-front.ts';

describeNeeding(['temporal', 'openssl'], 'a Temporal that refuses what operators do, as Temporal Cloud does', () => {
  const folder = mkdtempSync(join(tmpdir(), 'defib-cloud-'));
  let temporal: OwnTemporal;
  let front: TemporalFront;
  let connection: Connection;
  beforeAll(async () => {
    temporal = await startOwnTemporal();
    const own = createAuthority(folder, 'own');
    const certificate = own.issue('server', ['DNS:localhost']);
    front = await startTemporalFront(temporal.address, { certificate, refuses: /OperatorService/ });
    const tls = { serverRootCACertificate: Buffer.from(own.ca) };
    connection = await Connection.connect({ address: `localhost:${front.port}`, tls });
  }, 60_000);
  afterAll(async () => {
    await connection?.close();
    await front?.stop();
    await temporal?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  it('is taken where somebody has made the search attributes', async () => {
    await ensureSearchAttributes(connection, 'default');
    expect(front.calls.some(({ path }) => path.includes('OperatorService'))).toBe(true);
  });

  it('is refused where they are missing, with the command that makes them', async () => {
    await temporal.connection.workflowService.registerNamespace({
      namespace: 'bare',
      workflowExecutionRetentionPeriod: { seconds: 86_400 as never },
    });
    const query = () => connection.workflowService.countWorkflowExecutions({ namespace: 'bare' });
    // a new namespace is known to all of the server some seconds later
    await until(() =>
      query().then(
        () => true,
        () => false,
      ),
    );
    await expect(ensureSearchAttributes(connection, 'bare')).rejects.toThrow(
      /^Temporal's search attributes VmName, VmStatus.* are missing\. Run: temporal operator search-attribute create --namespace bare /,
    );
  }, 90_000);
});
