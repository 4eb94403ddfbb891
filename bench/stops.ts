/**
 * What has to be undone, last first, and all of it whatever fails. What a killed bench leaves running is ended by the next
 * bench or test run (test/support/leftover-runs.ts).
 */
export class Stops {
  readonly #stops: (() => Promise<unknown> | unknown)[] = [];

  add(stop: () => Promise<unknown> | unknown): void {
    this.#stops.push(stop);
  }

  /** Undoes everything, once however often it is asked for. */
  async run(): Promise<void> {
    for (let stop = this.#stops.pop(); stop !== undefined; stop = this.#stops.pop()) {
      try {
        await stop();
      } catch (error) {
        process.stderr.write(`While stopping: ${error instanceof Error ? error.message : String(error)}\n`);
      }
    }
  }
}
