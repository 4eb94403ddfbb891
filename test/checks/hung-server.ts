import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { onTestFinished } from 'vitest';

const LISTEN = `
const server = require('node:net').createServer(() => {});
server.listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => process.stdout.write(server.address().port + '\\n'));
`;

/**
 * A stopped process that still owns its listening port, as a hung VM does. The kernel takes the first few connections
 * for it; with `full` its queue is used up already, so that further ones are never answered at all.
 */
export async function hungServer({ full }: { full: boolean }): Promise<number> {
  const child = spawn(process.execPath, ['-e', LISTEN], { stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  const [line] = await once(child.stdout, 'data');
  const port = Number(String(line));
  child.kill('SIGSTOP');
  if (full) {
    for (let i = 0; i < 8; i++) {
      const socket = connect(port, '127.0.0.1').on('error', () => undefined);
      onTestFinished(() => void socket.destroy());
    }
    // the queue holds two: once they are in, the others are waiting in vain
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return port;
}
