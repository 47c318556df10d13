// @ts-check
import cliProgress from 'cli-progress';

/**
 * A bar on a terminal; elsewhere one plain line per case and round.
 * @param {{ total: number, rounds: number }} size
 */
export function startProgress({ total, rounds }) {
  return process.stderr.isTTY ? new Bar(total) : new Lines(rounds);
}

class Bar {
  #bar;

  /** @param {number} total */
  constructor(total) {
    this.#bar = new cliProgress.SingleBar({
      format: '{bar} {value}/{total} · {eta_formatted} left · {sample}',
      stream: process.stderr,
      hideCursor: true,
      clearOnComplete: true,
    });
    this.#bar.start(total, 0, { sample: '' });
  }

  /**
   * @param {string} caseName
   * @param {string} driverName
   */
  begin(caseName, driverName) {
    this.#bar.update({ sample: `${caseName} × ${driverName}` });
  }

  end() {
    this.#bar.increment();
  }

  stop() {
    this.#bar.stop();
  }
}

class Lines {
  #rounds;
  #last = '';

  /** @param {number} rounds */
  constructor(rounds) {
    this.#rounds = rounds;
  }

  /**
   * @param {string} caseName
   * @param {string} _driverName
   * @param {number} round from 0
   */
  begin(caseName, _driverName, round) {
    const line = `round ${round + 1}/${this.#rounds} · ${caseName}\n`;
    if (line !== this.#last) process.stderr.write(line);
    this.#last = line;
  }

  end() {}

  stop() {}
}
