import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { FakeVm } from './fake-qmp-vm.ts';

/** What the fake does wrong when it is sent a command. */
export type Misbehaviour =
  | 'never-answers'
  | 'drops-before-acting'
  | 'drops-after-acting'
  | 'answers-garbage'
  | 'answers-garbage-after-acting'
  | 'answers-too-much'
  | 'answers-another-command'
  | 'refuses'
  | 'says-ok-does-nothing'
  | 'says-running';

/** What it does wrong when a client connects. */
export type Mood = 'well' | 'silent' | 'garbage-greeting' | 'too-long-greeting' | 'drops-at-once';

export interface ReceivedCommand {
  command: string;
  atMs: number;
}

const ACTING = ['system_reset', 'cont', 'stop', 'system_powerdown'];

/**
 * A QMP monitor with a VM behind it, over a real Unix socket, with the faults of a real one. Like a real one it serves one
 * client at a time; a second one connects and gets no greeting until the first has left.
 */
export class FakeQmp {
  readonly vm = new FakeVm();
  readonly dir = realpathSync(mkdtempSync(join(tmpdir(), 'fake-qmp-')));
  readonly path = join(this.dir, 'vm.sock');
  /** Every command that arrived, greetings aside, in order. */
  readonly commands: ReceivedCommand[] = [];
  /** How the next clients are greeted. */
  mood: Mood = 'well';
  /** Sends events before and after every answer. */
  noisy = false;
  /** The guest begins to write its crash dump when somebody asks for its status. */
  crashLoads = false;
  /** Sends answers byte by byte. */
  dribbles = false;
  readonly #misbehaviours = new Map<string, Misbehaviour>();
  readonly #waiting: Socket[] = [];
  readonly #server: Server;
  #served: Socket | null = null;

  private constructor() {
    this.#server = createServer((socket) => this.#arrive(socket));
    this.vm.onReset = () => this.#announce({ event: 'RESET', data: { guest: false, reason: 'host-qmp-system-reset' } });
  }

  static async start(): Promise<FakeQmp> {
    const fake = new FakeQmp();
    await fake.open();
    return fake;
  }

  /** Misbehaves at `command`; without one at every command that acts (`says-running`: at query-status). */
  behave(misbehaviour: Misbehaviour, command?: string): void {
    const usual = misbehaviour === 'says-running' ? ['query-status'] : ACTING;
    for (const name of command ? [command] : usual) this.#misbehaviours.set(name, misbehaviour);
  }

  received(command: string): number {
    return this.commands.filter((received) => received.command === command).length;
  }

  /** QEMU starts: its socket listens. */
  async open(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(this.path, resolve));
  }

  /** QEMU ends: its socket is gone, and so are its clients. */
  async close(): Promise<void> {
    for (const socket of [this.#served, ...this.#waiting]) socket?.destroy();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  async remove(): Promise<void> {
    if (this.#server.listening) await this.close();
    rmSync(this.dir, { recursive: true, force: true });
  }

  #arrive(socket: Socket): void {
    socket.on('error', () => undefined);
    socket.on('close', () => this.#leave(socket));
    if (this.#served) this.#waiting.push(socket);
    else this.#serve(socket);
  }

  #leave(socket: Socket): void {
    const position = this.#waiting.indexOf(socket);
    if (position >= 0) this.#waiting.splice(position, 1);
    if (this.#served !== socket) return;
    this.#served = null;
    const next = this.#waiting.shift();
    if (next) this.#serve(next);
  }

  #serve(socket: Socket): void {
    this.#served = socket;
    // Reading is what notices a client that leaves.
    createInterface({ input: socket }).on('line', (line) => this.#hear(socket, line));
    switch (this.mood) {
      case 'silent':
        return;
      case 'drops-at-once':
        socket.destroy();
        return;
      case 'garbage-greeting':
        socket.write('SSH-2.0-OpenSSH_9.2\r\n');
        return;
      case 'too-long-greeting':
        socket.write(`{"QMP": "${'x'.repeat(200_000)}`);
        return;
      case 'well':
        this.#say(socket, { QMP: { version: { qemu: { major: 7, minor: 2, micro: 22 } }, capabilities: ['oob'] } });
    }
  }

  #hear(socket: Socket, line: string): void {
    const { execute: command, id } = JSON.parse(line);
    this.commands.push({ command, atMs: Date.now() });
    const reply = (answer: object) => {
      if (this.noisy) this.#say(socket, { event: 'RTC_CHANGE', data: { offset: 1 } });
      if (this.crashLoads) this.#say(socket, { event: 'GUEST_CRASHLOADED', data: { action: 'run' } });
      this.#say(socket, { ...answer, id });
      if (this.noisy) this.#say(socket, { event: 'STOP' });
    };
    switch (this.#misbehaviours.get(command)) {
      case 'never-answers':
        return;
      case 'drops-before-acting':
        return void socket.destroy();
      case 'drops-after-acting':
        this.vm.execute(command);
        return void socket.destroy();
      case 'answers-garbage':
        return void socket.write('\u0000\u0007 not json\r\n');
      case 'answers-garbage-after-acting':
        this.vm.execute(command);
        return void socket.write('{"return": {}\r\n');
      case 'answers-too-much':
        return void socket.write('x'.repeat(200_000));
      case 'answers-another-command':
        return this.#say(socket, { return: { status: 'running', running: true }, id: 'somebody-else' });
      case 'refuses':
        return reply({ error: { class: 'GenericError', desc: 'Resetting the Virtual Machine is required' } });
      case 'says-ok-does-nothing':
        return reply({ return: {} });
      case 'says-running':
        return reply({ return: { status: 'running', singlestep: false, running: true } });
      case undefined:
        return reply(this.vm.execute(command));
    }
  }

  #announce(event: object): void {
    if (this.#served) this.#say(this.#served, event);
  }

  #say(socket: Socket, message: object): void {
    const line = `${JSON.stringify(message)}\r\n`;
    if (!this.dribbles) socket.write(line);
    else for (const byte of Buffer.from(line)) socket.write(Buffer.of(byte));
  }
}
