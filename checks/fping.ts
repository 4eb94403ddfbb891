import { execFile } from 'node:child_process';
import { STOOD_STILL, STOOD_STILL_MS } from './deadline.ts';
import { readFpingLine } from './fping-output.ts';
import { excerpt } from './probe-result.ts';

/** How a ping ended, and what fping printed about it, at most 500 characters. */
export type PingAnswer =
  | { kind: 'alive'; latencyMs: number; output: string }
  | { kind: 'silent'; output: string }
  /** The worker's own network did not take the packet. */
  | { kind: 'not-sent'; output: string }
  | { kind: 'fping-missing' | 'icmp-not-permitted' | 'look-failed'; output: string };

/** One ICMP echo to an IP literal. Always resolves, soon after `timeoutMs` at the latest. */
export type Ping = (address: string, timeoutMs: number) => Promise<PingAnswer>;

/** How fping is run. */
export interface FpingOptions {
  /** The binary; `fping` on PATH unless given. */
  path?: string;
  /** How long a ping waits for others to share its process; 50 ms unless given. A process costs about 3 ms of CPU, an address in it 0.1. */
  gatherMs?: number;
}

/** Who waits for an address, and what fping has printed about it so far. */
interface Asked {
  answers: ((answer: PingAnswer) => void)[];
  output: string[];
  verdict: 'silent' | 'not-sent' | null;
}
type Batch = Map<string, Asked>;

/** 1 ms lies between two packets: more targets would make the last one late. */
const MAX_TARGETS = 200;
const SPACING_MS = 1;
const EXIT_MARGIN_MS = 2_000;
/** A process lives as long as its slowest target: when many VMs are silent, fewer and fuller ones are started. */
const MANY_PROCESSES = 10;

/** Pings through fping. Addresses asked within a few ms share a process when they have the same time limit. */
export function createFping({ path = 'fping', gatherMs = 50 }: FpingOptions = {}): Ping {
  const gathering = new Map<number, Batch>();
  let running = 0;

  function startBatch(timeoutMs: number): Batch {
    const batch: Batch = new Map();
    gathering.set(timeoutMs, batch);
    setTimeout(send, gatherMs * (1 + running / MANY_PROCESSES), timeoutMs, batch);
    return batch;
  }

  function send(timeoutMs: number, batch: Batch): void {
    if (gathering.get(timeoutMs) === batch) gathering.delete(timeoutMs);
    running += 1;
    run(path, timeoutMs, batch, () => {
      running -= 1;
    });
  }

  return (address, timeoutMs) =>
    new Promise((resolve) => {
      const gathered = gathering.get(timeoutMs);
      const batch = gathered === undefined || gathered.size >= MAX_TARGETS ? startBatch(timeoutMs) : gathered;
      const asked = batch.get(address) ?? { answers: [], output: [], verdict: null };
      asked.answers.push(resolve);
      batch.set(address, asked);
    });
}

function run(path: string, timeoutMs: number, batch: Batch, ended: () => void): void {
  const read = (line: string) => {
    const report = readFpingLine(line);
    const asked = report && batch.get(report.address);
    if (!asked) return;
    asked.output.push(line);
    if (report.kind === 'alive') {
      // passed on at once: a silent neighbour in the batch must not hold it up
      batch.delete(report.address);
      answer(asked, { kind: 'alive', latencyMs: report.latencyMs, output: outputOf(asked) });
    } else if (report.kind !== 'note' && asked.verdict !== 'not-sent') {
      // kept until the end: what was sent comes by the other stream, perhaps later
      asked.verdict = report.kind;
    }
  };
  const startedAt = performance.now();
  const end = (error: Error | null, errors: string) => {
    ended();
    const trouble = troubleOf(error, errors);
    // otherwise it would have been killed before: it may have been stopped too, and have missed answers
    const stoodStill = performance.now() - startedAt > limitMs + STOOD_STILL_MS;
    for (const asked of batch.values()) {
      if (stoodStill) answer(asked, { kind: 'look-failed', output: STOOD_STILL });
      else answer(asked, asked.verdict === null ? trouble : { kind: asked.verdict, output: outputOf(asked) });
    }
  };

  const args = ['-e', '-r0', `-i${SPACING_MS}`, `-t${Math.ceil(timeoutMs)}`];
  const limitMs = Math.ceil(timeoutMs) + batch.size * SPACING_MS + EXIT_MARGIN_MS;
  try {
    const child = execFile(path, args, { timeout: limitMs, killSignal: 'SIGKILL' }, (error, _, errors) =>
      end(error, errors),
    );
    child.stdin?.on('error', () => undefined);
    eachLine(child.stdout, read);
    eachLine(child.stderr, read);
    child.stdin?.end(`${[...batch.keys()].join('\n')}\n`);
  } catch (error) {
    // Node throws some errors of spawn, EPERM among them, instead of reporting them
    end(error instanceof Error ? error : new Error(String(error)), '');
  }
}

function answer(asked: Asked, answered: PingAnswer): void {
  for (const resolve of asked.answers) resolve(answered);
}

function outputOf(asked: Asked): string {
  return excerpt(asked.output.join('\n'));
}

function troubleOf(error: Error | null, errors: string): PingAnswer {
  const code = error !== null && 'code' in error ? error.code : null;
  // lines about an address are not for the others, who may belong to other tenants
  const said = errors.split('\n').filter((line) => line !== '' && readFpingLine(line) === null);
  const output = excerpt(said.join('\n') || `ended early (${code ?? 'killed'})`);
  if (code === 'ENOENT' || code === 'EACCES') return { kind: 'fping-missing', output };
  const forbidden = /can't create socket|must run as root|not permitted/i.test(output);
  return { kind: code === 'EPERM' || forbidden ? 'icmp-not-permitted' : 'look-failed', output };
}

function eachLine(stream: NodeJS.ReadableStream | null, read: (line: string) => void): void {
  let rest = '';
  stream?.on('data', (chunk: string | Buffer) => {
    const lines = (rest + chunk.toString()).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) read(line);
  });
}
