import { Client, Connection } from '@temporalio/client';
import { NativeConnection } from '@temporalio/worker';
import { inject } from 'vitest';
import './provided.ts';

export interface TestTemporal {
  readonly address: string;
  readonly namespace: string;
  readonly client: Client;
  readonly connection: Connection;
  /** For Worker.create. */
  readonly nativeConnection: NativeConnection;
  readonly close: () => Promise<void>;
}

/** Connects to the run's Temporal server; throws with the reason when there is none. */
export async function connectTemporal(): Promise<TestTemporal> {
  const provided = inject('temporal');
  if (!provided.ok) throw new Error(provided.reason);
  const { address, namespace } = provided;
  const connection = await Connection.connect({ address });
  const nativeConnection = await NativeConnection.connect({ address });
  const close = async () => {
    await connection.close();
    await nativeConnection.close();
  };
  return { address, namespace, client: new Client({ connection, namespace }), connection, nativeConnection, close };
}
