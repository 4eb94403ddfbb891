/** A moment of virtual time at which something happens. */
interface Timer {
  atMs: number;
  order: number;
  fire(): void;
}

/**
 * Virtual time for one process: it stands still while anything works, and then goes to the next timer at once. Whoever works says
 * so with `during`.
 */
export class VirtualClock {
  #nowMs: number;
  #timers: Timer[] = [];
  #order = 0;
  #busy = 0;
  #idle: (() => void) | null = null;
  readonly #moved: (nowMs: number) => void;

  /** `moved` is called with each new time. */
  constructor(nowMs: number, moved: (nowMs: number) => void) {
    this.#nowMs = nowMs;
    this.#moved = moved;
    moved(nowMs);
  }

  /** Epoch ms. */
  get nowMs(): number {
    return this.#nowMs;
  }

  /** Calls `fire` after so long, unless the answer is called before. */
  after(ms: number, fire: () => void): () => void {
    const timer: Timer = { atMs: this.#nowMs + Math.max(0, ms), order: this.#order++, fire };
    const later = this.#timers.findIndex((other) => other.atMs > timer.atMs);
    this.#timers.splice(later === -1 ? this.#timers.length : later, 0, timer);
    return () => {
      const index = this.#timers.indexOf(timer);
      if (index !== -1) this.#timers.splice(index, 1);
    };
  }

  /** Time stands still until this is done. */
  async during<T>(work: () => Promise<T>): Promise<T> {
    this.#begin();
    try {
      return await work();
    } finally {
      this.#end();
    }
  }

  /** For whoever works: waits for so long, and does not work meanwhile. */
  wait(ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.after(ms, () => {
        this.#begin();
        resolve();
      });
      this.#end();
    });
  }

  /** Lets time pass until then. */
  async advanceTo(untilMs: number): Promise<void> {
    for (;;) {
      await this.#settled();
      const [next] = this.#timers;
      if (next === undefined || next.atMs > untilMs) break;
      this.#timers.shift();
      this.#set(next.atMs);
      next.fire();
    }
    this.#set(Math.max(this.#nowMs, untilMs));
  }

  #set(nowMs: number): void {
    if (nowMs === this.#nowMs) return;
    this.#nowMs = nowMs;
    this.#moved(nowMs);
  }

  /** Nobody works, and nothing that was done makes anybody begin. */
  async #settled(): Promise<void> {
    for (let quiet = 0; quiet < 2; quiet++) {
      await new Promise((resolve) => setImmediate(resolve));
      if (this.#busy === 0) continue;
      quiet = -1;
      await new Promise<void>((resolve) => {
        this.#idle = resolve;
      });
    }
  }

  #begin(): void {
    this.#busy++;
  }

  #end(): void {
    this.#busy--;
    if (this.#busy > 0) return;
    this.#idle?.();
    this.#idle = null;
  }
}
