import { afterAll, beforeAll, expect, it } from 'vitest';
import { findOperation } from '../../db/heals/operations.ts';
import { moveToSent } from '../../db/heals/sending.ts';
import { backendThatWaits } from '../db/held-row.ts';
import { intendedReset } from '../db/intended-operation.ts';
import { describeNeeding } from '../support/requirements.ts';
import { type ApiUnderTest, registered, startApiUnderTest } from './api-under-test.ts';

describeNeeding(['temporal'], 'A pause while an operation is under way', () => {
  let api: ApiUnderTest;
  beforeAll(async () => {
    api = await startApiUnderTest();
  });
  afterAll(() => api.close());

  /** The database's clock is the real one here: facts are as old as their operation. */
  const intended = async (vmId: string) =>
    intendedReset(api.database, vmId, {
      fence: { settingsVersion: 1, policyRevision: 0, checks: [], powerState: 'running', factsAtMs: Date.now() },
    });
  const pause = (vmId: string) => api.call('POST', `/api/vms/${vmId}/pause`, { reason: 'moving house' });

  it('waits for whoever is about to send, names the operation, and answers once nothing can be written any more', async () => {
    const { id } = await registered(api, {});
    const operation = await intended(id);
    // as the sender's transaction does: the VM's row first
    const sender = await api.database.pool.connect();
    await sender.query('BEGIN');
    await sender.query('SELECT 1 FROM vms WHERE id = $1 FOR UPDATE', [id]);
    const pausing = pause(id);
    await backendThatWaits(api.database.pool, 'api-test');
    await sender.query(`UPDATE operations SET state = 'sent', sent_at = defib_now() WHERE id = $1`, [operation.id]);
    await sender.query('COMMIT');
    sender.release();
    expect(await pausing).toMatchObject({ status: 200, body: { paused: true, sentBefore: [operation.id] } });
    const { rows } = await api.sql(`SELECT defib_now() - sent_at >= interval '3 seconds' AS is_over FROM operations`);
    expect(rows).toEqual([{ is_over: true }]);
  });

  it('answers though the database’s clock was set back since an operation was sent', async () => {
    const { id } = await registered(api, { name: 'third', externalId: 'third' });
    const operation = await intended(id);
    await api.sql(`UPDATE operations SET state = 'sent', sent_at = now() + interval '1 hour' WHERE id = $1`, [
      operation.id,
    ]);
    expect(await pause(id)).toMatchObject({ status: 200, body: { paused: true, sentBefore: [operation.id] } });
  });

  it('keeps what was decided before it from being sent', async () => {
    const { id } = await registered(api, { name: 'other', externalId: 'other' });
    const operation = await intended(id);
    expect(await pause(id)).toMatchObject({ status: 200, body: { sentBefore: [] } });
    expect(await moveToSent(api.database, operation, 'running')).toEqual({
      kind: 'unwanted',
      why: 'the VM was paused',
    });
    expect(await findOperation(api.database.orm, operation.id)).toMatchObject({
      state: 'abandoned',
      result: 'skipped',
    });
  });
});
