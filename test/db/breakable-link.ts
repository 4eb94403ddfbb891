import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** A connection to Postgres that fails as networks and killed servers do. */
export interface BreakableLink {
  readonly url: string;
  /** Ends all connections, and new ones until `mend`, also in the middle of a query. */
  cut(): void;
  /**
   * Drops packets instead: connections stay open, new ones are accepted, and nothing passes; or only queries pass and no
   * answers do.
   */
  silence(what?: 'everything' | 'answers'): void;
  /** All passes again, beginning with what was held back. */
  mend(): void;
  close(): Promise<void>;
}

/** Passes connections on to this database until it is told to break. */
export async function breakableLink(databaseUrl: string): Promise<BreakableLink> {
  const target = new URL(databaseUrl);
  const pairs = new Set<Pair>();
  let passes: Passes = 'everything';
  const server = createServer((near) => {
    const pair = new Pair(near, connect(Number(target.port), target.hostname), passes, () => pairs.delete(pair));
    pairs.add(pair);
    if (passes === 'no connection') pair.cut();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = new URL(databaseUrl);
  url.hostname = '127.0.0.1';
  url.port = String((server.address() as AddressInfo).port);
  const letPass = (what: Passes) => {
    passes = what;
    for (const pair of pairs) pair.letPass(what);
  };
  return {
    url: url.href,
    cut: () => letPass('no connection'),
    silence: (what = 'everything') => letPass(what === 'everything' ? 'nothing' : 'questions'),
    mend: () => letPass('everything'),
    close() {
      for (const pair of pairs) pair.cut();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

type Passes = 'everything' | 'questions' | 'nothing' | 'no connection';

/** Both sides of a connection. While nothing passes, the end of one side does not end the other. */
class Pair {
  readonly #near: Socket;
  readonly #far: Socket;
  #passes: Passes;
  #ended = false;

  constructor(near: Socket, far: Socket, passes: Passes, gone: () => void) {
    this.#near = near;
    this.#far = far;
    this.#passes = passes;
    near.on('data', (chunk) => far.write(chunk));
    far.on('data', (chunk) => near.write(chunk));
    for (const socket of [near, far]) {
      socket.on('error', () => undefined);
      socket.on('close', () => {
        this.#ended = true;
        if (this.#passes !== 'nothing') this.#endBoth();
        gone();
      });
    }
    this.letPass(passes);
  }

  letPass(passes: Passes): void {
    this.#passes = passes;
    if (passes === 'no connection') this.cut();
    else if (this.#ended && passes !== 'nothing') this.#endBoth();
    flow(this.#near, passes === 'everything' || passes === 'questions');
    flow(this.#far, passes === 'everything');
  }

  cut(): void {
    this.#near.resetAndDestroy();
    this.#far.resetAndDestroy();
  }

  #endBoth(): void {
    this.#near.destroy();
    this.#far.destroy();
  }
}

function flow(socket: Socket, does: boolean): void {
  if (does) socket.resume();
  else socket.pause();
}
