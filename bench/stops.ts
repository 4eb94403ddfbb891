/** What has to be undone, last first; each once, however often it is asked for, and all of it whatever fails. */
export class Stops {
  readonly #stops: (() => Promise<unknown> | unknown)[] = [];
  #over = false;

  /** Throws once everything has been stopped: whoever is still starting things must not go on. */
  add(stop: () => Promise<unknown> | unknown): void {
    this.#stops.push(stop);
    if (!this.#over) return;
    void this.run();
    throw interrupted();
  }

  /** Starts something that takes a while; it is stopped also when that is asked for before it has started. */
  async start<T>(begin: () => Promise<T>, stop: (started: T) => Promise<unknown> | unknown): Promise<T> {
    if (this.#over) throw interrupted();
    const starting = begin();
    this.add(async () => {
      const ended = await starting.then(
        (started) => ({ started }),
        () => null,
      );
      if (ended !== null) await stop(ended.started);
    });
    return starting;
  }

  async run(): Promise<void> {
    this.#over = true;
    for (let stop = this.#stops.pop(); stop !== undefined; stop = this.#stops.pop()) {
      try {
        await stop();
      } catch (error) {
        process.stderr.write(`While stopping: ${error instanceof Error ? error.message : String(error)}\n`);
      }
    }
  }
}

function interrupted(): Error {
  return new Error('interrupted');
}
