import { createConnection, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ProviderTrouble } from '../provider.ts';
import { LineReader } from './line-reader.ts';
import { parseQmpMessage, type QmpMessage } from './qmp-message.ts';

const MAX_LINE_BYTES = 64 * 1024;
const MAX_CONVERSATION_BYTES = 1024 * 1024;
/** QEMU lets about two clients queue for a monitor; further ones are refused at once. */
const QUEUE_FULL_PAUSE_MS = 20;
/** QMP's own reason for a reset that a monitor asked for. */
const OUR_RESET = 'host-qmp-system-reset';

/** An answer to one command. `written` says whether its bytes were handed to the socket: then it may have acted. */
export type QmpAnswer = { ok: true; value: unknown } | (ProviderTrouble & { written: boolean });

type Reply = Extract<QmpMessage, { kind: 'return' | 'error' }>;

/**
 * One session with a QMP monitor: greeting, capabilities, a few commands, close. A monitor serves one client at a time, so keep
 * it short. All times are ends on the clock of `performance.now()`.
 */
export class QmpConnection {
  readonly #socket: Socket;
  readonly #reader = new LineReader(MAX_LINE_BYTES, MAX_CONVERSATION_BYTES);
  readonly #replies: Reply[] = [];
  #greeted = false;
  #resetAnnounced = false;
  #crashLoaded = false;
  #ended: ProviderTrouble | null = null;
  #commands = 0;
  #wake: () => void = () => undefined;

  private constructor(path: string) {
    this.#socket = createConnection({ path });
    this.#socket.on('data', (chunk) => this.#hear(chunk));
    this.#socket.on('error', (error: NodeJS.ErrnoException) => this.#end(troubleOf(error)));
    this.#socket.on('close', () => this.#end(trouble('unreachable', 'QEMU closed the QMP connection.')));
  }

  /**
   * Connects and negotiates. No greeting within `greetingMs` means `busy`: another client holds the monitor. Nothing is
   * written before the greeting, so giving up in the queue leaves nothing behind.
   */
  static async open(
    path: string,
    limits: { greetingMs: number; untilMs: number },
  ): Promise<{ ok: true; connection: QmpConnection } | ProviderTrouble> {
    const greetingEnd = Math.min(limits.untilMs, performance.now() + limits.greetingMs);
    let connection = new QmpConnection(path);
    let greeted = await connection.#until(greetingEnd, () => connection.#greeted);
    while (!greeted && connection.#ended?.reason === 'busy' && performance.now() < greetingEnd) {
      await sleep(QUEUE_FULL_PAUSE_MS);
      connection = new QmpConnection(path);
      greeted = await connection.#until(greetingEnd, () => connection.#greeted);
    }
    const negotiated = greeted ? await connection.execute('qmp_capabilities', limits.untilMs) : null;
    if (negotiated?.ok) return { ok: true, connection };
    const silent = trouble('busy', 'No QMP greeting: another client holds this monitor, or QEMU hangs.');
    const { reason, message } = negotiated ?? connection.#ended ?? silent;
    connection.close();
    return trouble(reason, message);
  }

  /** Sends one command and waits for its reply; never sends it twice. */
  async execute(command: string, untilMs: number): Promise<QmpAnswer> {
    if (this.#ended) return { ...this.#ended, written: false };
    if (performance.now() >= untilMs) return { ...slow(`No time was left to send ${command}.`), written: false };
    this.#commands += 1;
    const id = `defib-${this.#commands}`;
    this.#resetAnnounced = false;
    this.#socket.write(`${JSON.stringify({ execute: command, id })}\n`);
    const replied = await this.#until(untilMs, () => this.#replies.length > 0);
    const reply = this.#replies.shift();
    if (!replied || !reply) return { ...(this.#ended ?? slow(`No answer to ${command} in time.`)), written: true };
    if (reply.id !== id) return { ...this.#garbled(`an answer to another command than ${command}`), written: true };
    if (reply.kind === 'return') return { ok: true, value: reply.value };
    return { ...trouble('refused', `QEMU refused ${command}: ${reply.description}`), written: true };
  }

  /** Whether QEMU announced, since the last command was sent or until `untilMs`, that it did a reset for a client. */
  async announcedReset(untilMs: number): Promise<boolean> {
    return this.#until(untilMs, () => this.#resetAnnounced);
  }

  /** Whether QEMU has said, while connected, that the guest writes the dump of its crash. */
  get crashLoaded(): boolean {
    return this.#crashLoaded;
  }

  /** After this nothing is written. */
  close(): void {
    this.#end(trouble('unreachable', 'The QMP connection was closed.'));
  }

  #hear(chunk: Buffer): void {
    if (this.#ended) return;
    const lines = this.#reader.take(chunk);
    if (lines === null) this.#end(this.#garbled('a line or an amount beyond all bounds'));
    for (const line of lines ?? []) {
      const message = parseQmpMessage(line);
      const unexpected = message === null || (message.kind === 'greeting') === this.#greeted;
      if (unexpected) return this.#end(this.#garbled('something that is no QMP'));
      if (message.kind === 'greeting') this.#greeted = true;
      else if (message.kind !== 'event') this.#replies.push(message);
      else if (message.name === 'RESET' && message.data.reason === OUR_RESET) this.#resetAnnounced = true;
      else if (message.name === 'GUEST_CRASHLOADED') this.#crashLoaded = true;
    }
    this.#wake();
  }

  #garbled(what: string): ProviderTrouble {
    return trouble('garbage', `QEMU's monitor said ${what}. Is that really a QMP socket?`);
  }

  /** Only the first reason counts, because a close follows every error. */
  #end(reason: ProviderTrouble): void {
    this.#ended ??= reason;
    this.#socket.destroy();
    this.#wake();
  }

  /** Waits until `seen()`, the end of the connection or the end of time; answers whether it was seen. */
  async #until(untilMs: number, seen: () => boolean): Promise<boolean> {
    while (!seen() && !this.#ended && performance.now() < untilMs) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, Math.max(1, untilMs - performance.now()));
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    return seen();
  }
}

function troubleOf(error: NodeJS.ErrnoException): ProviderTrouble {
  switch (error.code) {
    // A Unix socket's backlog is full: others wait for the same monitor.
    case 'EAGAIN':
      return trouble('busy', 'Too many clients wait for this QMP monitor. Use one monitor for Defib alone.');
    case 'EACCES':
    case 'EPERM':
      return trouble('unreachable', 'Defib may not open the QMP socket. Give its user write permission on it.');
    case 'ECONNREFUSED':
    case 'ENOENT':
      return trouble('unreachable', 'Nobody listens at the QMP socket: QEMU is not running.');
    default:
      return trouble('unreachable', `The QMP connection broke (${error.code ?? error.message}).`);
  }
}

function slow(message: string): ProviderTrouble {
  return trouble('slow', `${message} QEMU's host may be overloaded.`);
}

function trouble(reason: ProviderTrouble['reason'], message: string): ProviderTrouble {
  return { ok: false, reason, message };
}
