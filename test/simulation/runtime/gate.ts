/** Where things wait, in order, while they can't pass. */
export class Gate {
  #isOpen = true;
  #waiting: (() => void)[] = [];

  set isOpen(isOpen: boolean) {
    this.#isOpen = isOpen;
    while (this.#isOpen) {
      const next = this.#waiting.shift();
      if (next === undefined) return;
      next();
    }
  }

  /** Calls `pass` at once or when it opens; the answer takes it back. */
  whenOpen(pass: () => void): () => void {
    if (this.#isOpen) pass();
    else this.#waiting.push(pass);
    return () => {
      this.#waiting = this.#waiting.filter((other) => other !== pass);
    };
  }
}
