import { createConnection, type Socket } from 'node:net';
import { createInterface } from 'node:readline';

type Waiter = (reply: { return?: unknown; error?: { desc?: string } }) => void;

/**
 * The test's own eye on the VM: a second QMP monitor, open for as long as the VM lives, that counts resets by reason. It
 * shares no code with providers/qemu, so it can contradict it.
 */
export class WatchingMonitor {
  readonly resetsByReason = new Map<string, number>();
  readonly resets: { reason: string; atMs: number }[] = [];
  readonly #socket: Socket;
  readonly #waiting: Waiter[] = [];

  private constructor(socket: Socket) {
    this.#socket = socket;
    // QEMU ending is the launcher's business.
    socket.on('error', () => undefined);
    createInterface({ input: socket }).on('line', (line) => this.#hear(line));
  }

  /** Connects and negotiates; rejects when nobody listens at `path`. */
  static async open(path: string): Promise<WatchingMonitor> {
    const socket = createConnection(path);
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve);
      socket.once('error', reject);
    });
    const monitor = new WatchingMonitor(socket);
    await monitor.execute('qmp_capabilities');
    return monitor;
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
    if (message.event === 'RESET') {
      const reason = String(message.data.reason);
      this.resetsByReason.set(reason, (this.resetsByReason.get(reason) ?? 0) + 1);
      const { seconds, microseconds } = message.timestamp;
      this.resets.push({ reason, atMs: seconds * 1000 + microseconds / 1000 });
    }
    if ('return' in message || 'error' in message) this.#waiting.shift()?.(message);
  }
}
