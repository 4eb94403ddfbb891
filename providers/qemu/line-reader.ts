const NEWLINE = 0x0a;

/**
 * Cuts a byte stream into lines, holding at most `maxLineBytes` of an unfinished one and taking at most `maxBytes` in
 * all, so that a peer that floods us costs neither memory nor time.
 */
export class LineReader {
  readonly #maxLineBytes: number;
  #bytesLeft: number;
  #unfinished: Buffer[] = [];
  #unfinishedBytes = 0;

  constructor(maxLineBytes: number, maxBytes: number) {
    this.#maxLineBytes = maxLineBytes;
    this.#bytesLeft = maxBytes;
  }

  /** The lines that `chunk` completes, without empty ones; null once a bound is passed. */
  take(chunk: Buffer): string[] | null {
    this.#bytesLeft -= chunk.length;
    if (this.#bytesLeft < 0) return null;
    const lines: string[] = [];
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end !== -1; end = chunk.indexOf(NEWLINE, start)) {
      if (!this.#keep(chunk.subarray(start, end))) return null;
      const line = Buffer.concat(this.#unfinished).toString('utf8').trim();
      this.#unfinished = [];
      this.#unfinishedBytes = 0;
      if (line !== '') lines.push(line);
      start = end + 1;
    }
    return this.#keep(chunk.subarray(start)) ? lines : null;
  }

  #keep(piece: Buffer): boolean {
    this.#unfinishedBytes += piece.length;
    if (piece.length > 0) this.#unfinished.push(piece);
    return this.#unfinishedBytes <= this.#maxLineBytes;
  }
}
