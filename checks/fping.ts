import { execFile } from 'node:child_process';
import { readFpingLine } from './fping-output.ts';
import { excerpt } from './sighting.ts';

export type PingAnswer =
  | { kind: 'alive'; latencyMs: number; output: string }
  | { kind: 'silent'; output: string }
  /** The worker's own network did not take the packet. */
  | { kind: 'not-sent'; output: string }
  | { kind: 'fping-missing' | 'icmp-not-permitted' | 'look-failed'; output: string };

/** One ICMP echo to an IP literal. Always resolves, soon after `timeoutMs` at the latest. */
export type Ping = (address: string, timeoutMs: number) => Promise<PingAnswer>;

export interface FpingOptions {
  /** The binary; `fping` on PATH unless given. */
  path?: string;
  /** How long a ping waits for company: a process costs about 3 ms of CPU, another address in it 0.1. */
  gatherMs?: number;
}

type Answer = (answer: PingAnswer) => void;
/** Who waits for an address, and what fping said of it so far. */
interface Asked {
  answers: Answer[];
  output: string[];
}
type Batch = Map<string, Asked>;

/** 1 ms lies between two packets: more targets would make the last one late. */
const MOST_TARGETS = 200;
const SPACING_MS = 1;
const EXIT_MARGIN_MS = 2_000;

/** Pings through fping. Addresses asked within a few ms share a process when they have the same time limit. */
export function createFping({ path = 'fping', gatherMs = 25 }: FpingOptions = {}): Ping {
  const gathering = new Map<number, Batch>();

  const send = (timeoutMs: number, batch: Batch) => {
    if (gathering.get(timeoutMs) === batch) gathering.delete(timeoutMs);
    run(path, timeoutMs, batch);
  };

  return (address, timeoutMs) =>
    new Promise((resolve) => {
      let batch = gathering.get(timeoutMs);
      if (batch === undefined || batch.size >= MOST_TARGETS) {
        const fresh: Batch = new Map();
        gathering.set(timeoutMs, fresh);
        setTimeout(send, gatherMs, timeoutMs, fresh);
        batch = fresh;
      }
      const asked = batch.get(address) ?? { answers: [], output: [] };
      asked.answers.push(resolve);
      batch.set(address, asked);
    });
}

function run(path: string, timeoutMs: number, batch: Batch): void {
  const answer = (asked: Asked, kind: PingAnswer['kind'], latencyMs: number, lines: string[]) => {
    const output = excerpt(lines.join('\n'));
    for (const resolve of asked.answers) resolve(kind === 'alive' ? { kind, latencyMs, output } : { kind, output });
  };
  const read = (line: string) => {
    const said = readFpingLine(line);
    const asked = said && batch.get(said.address);
    if (!asked) return;
    asked.output.push(line);
    if (said.kind === 'note') return;
    batch.delete(said.address);
    answer(asked, said.kind, said.latencyMs, asked.output);
  };
  const end = (error: Error | null, errors: string) => {
    const kind = error === null ? 'look-failed' : troubleOf(error, errors);
    for (const asked of batch.values()) answer(asked, kind, 0, [errors.trim() || String(error?.message)]);
    batch.clear();
  };

  const args = ['-e', '-r0', `-i${SPACING_MS}`, `-t${Math.ceil(timeoutMs)}`];
  const limitMs = timeoutMs + batch.size * SPACING_MS + EXIT_MARGIN_MS;
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

function troubleOf(error: Error, errors: string): PingAnswer['kind'] {
  const code = 'code' in error ? error.code : null;
  if (code === 'ENOENT' || code === 'EACCES') return 'fping-missing';
  if (code === 'EPERM' || /can't create socket|must run as root|not permitted/i.test(errors))
    return 'icmp-not-permitted';
  return 'look-failed';
}

/** Answers are passed on as they come: a silent neighbour in the batch must not hold them up. */
function eachLine(stream: NodeJS.ReadableStream | null, read: (line: string) => void): void {
  let rest = '';
  stream?.on('data', (chunk: string | Buffer) => {
    const lines = (rest + chunk.toString()).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) read(line);
  });
}
