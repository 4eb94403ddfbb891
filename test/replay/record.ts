import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import proto from '@temporalio/proto';

/** node --import tsx test/replay/record.ts <address> <folder> <name>=<workflow id>[@<run id>] …: writes their histories. */
const [address, folder, ...wanted] = process.argv.slice(2);
if (address === undefined || folder === undefined || wanted.length === 0) {
  process.stderr.write('usage: record.ts <address> <folder> <name>=<workflow id>[@<run id>] …\n');
  process.exit(1);
}
const connection = await Connection.connect({ address });
const client = new Client({ connection });
for (const one of wanted) {
  const [name, workflow = ''] = one.split('=');
  const [workflowId = '', runId] = workflow.split('@');
  const history = await client.workflow.getHandle(workflowId, runId).fetchHistory();
  // as protobuf: what the SDK reads back as JSON depends on which copy of protobufjs it meets
  writeFileSync(join(folder, `${name}.history`), proto.temporal.api.history.v1.History.encode(history).finish());
}
await connection.close();
