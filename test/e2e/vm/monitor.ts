import { createConnection, type Socket } from 'node:net';
import { createInterface } from 'node:readline';

type Waiter = (reply: { return?: unknown; error?: { desc?: string } }) => void;

/**
 * The test's own eye on the VM: a second QMP monitor, open for as long as the VM lives, that sees every reset. It shares no
 * code with providers/qemu, so it can contradict it.
 */
export class WatchingMonitor {
  /** When QEMU did each reset that somebody asked for over QMP, epoch ms; the guest's own are not among them. */
  readonly resetTimes: number[] = [];
  readonly #socket: Socket;
  readonly #waiting: Waiter[] = [];

  constructor(path: string) {
    this.#socket = createConnection(path);
    const lines = createInterface({ input: this.#socket });
    lines.on('line', (line) => this.#hear(line));
    // Both report that QEMU isn't there, which is the launcher's business.
    for (const source of [this.#socket, lines]) source.on('error', () => undefined);
  }

  /** Sends a QMP command and resolves with what it returned; rejects with QEMU's words when it refused. */
  execute(command: string, args: Record<string, unknown> = {}): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.#waiting.push((reply) => {
        if (reply.error) reject(new Error(`QMP ${command}: ${reply.error.desc}`));
        else resolve(reply.return);
      });
      this.#socket.once('close', () => reject(new Error(`QMP ${command}: the monitor closed`)));
      this.#socket.write(`${JSON.stringify({ execute: command, arguments: args })}\n`);
    });
  }

  close(): void {
    this.#socket.destroy();
  }

  #hear(line: string): void {
    const message = JSON.parse(line);
    if (message.event === 'RESET' && message.data.reason === 'host-qmp-system-reset') {
      const { seconds, microseconds } = message.timestamp;
      this.resetTimes.push(seconds * 1000 + microseconds / 1000);
    }
    if ('return' in message || 'error' in message) this.#waiting.shift()?.(message);
  }
}
