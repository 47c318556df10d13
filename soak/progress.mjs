// @ts-check
/** One line that is written over and over on a terminal; elsewhere, a line now and then. */
export class Progress {
  #shownAt = Number.NEGATIVE_INFINITY;
  #everyMs;

  /** @param {number} [everyMs] how often, where it is not a terminal */
  constructor(everyMs = 5000) {
    this.#everyMs = everyMs;
  }

  /** @param {string} text */
  show(text) {
    if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${text}`);
    else if (performance.now() - this.#shownAt >= this.#everyMs) {
      this.#shownAt = performance.now();
      process.stderr.write(`${text}\n`);
    }
  }

  end() {
    if (process.stderr.isTTY) process.stderr.write('\r\x1b[K');
  }
}
