/** How far a task has come, for any number of readers. */

/** What a task last said of itself. */
export interface Progress {
  /** In units of the task's own. */
  readonly done: number;
  /** What `done` will be at the end; undefined where the task cannot tell. */
  readonly total: number | undefined;
}

type Read = IteratorResult<Progress, undefined>;

const END: Read = Object.freeze({ value: undefined, done: true });

/** One task's reports, fanned out. Holds the latest alone, so a slow reader costs no more than a fast one. */
export class ProgressFeed implements AsyncIterable<Progress> {
  #readers: Set<Reader> | undefined = new Set();
  #latest: Progress | undefined;
  #onFirstReader: (() => void) | undefined;

  constructor(onFirstReader: () => void) {
    this.#onFirstReader = onFirstReader;
  }

  /** A reader of its own for each caller. It begins with the latest report, if there is one and the task has not settled. */
  [Symbol.asyncIterator](): AsyncIterableIterator<Progress, undefined> {
    const reader = new Reader(this.#latest, this.#readers === undefined);
    this.#readers?.add(reader);
    this.#onFirstReader?.();
    this.#onFirstReader = undefined;
    return {
      next: () => reader.next(),
      return: () => {
        this.#readers?.delete(reader);
        return reader.leave();
      },
      [Symbol.asyncIterator]() {
        return this;
      },
    };
  }

  /** Nobody hears it once the feed has ended. */
  report(latest: Progress): void {
    if (this.#readers === undefined) return;
    this.#latest = latest;
    for (const reader of this.#readers) reader.push(latest);
  }

  /** Readers still get what they have not read, and then the end. */
  end(): void {
    for (const reader of this.#readers ?? []) reader.end();
    this.#readers = undefined;
    this.#latest = undefined;
    this.#onFirstReader = undefined;
  }
}

class Reader {
  #unread: Progress | undefined;
  #ended: boolean;
  /** Calls of `next` that wait, oldest first. */
  readonly #asking: Array<(read: Read) => void> = [];

  constructor(unread: Progress | undefined, ended: boolean) {
    this.#unread = unread;
    this.#ended = ended;
  }

  next(): Promise<Read> {
    const value = this.#unread;
    this.#unread = undefined;
    if (value !== undefined) return Promise.resolve({ value, done: false });
    if (this.#ended) return Promise.resolve(END);
    return new Promise((resolve) => this.#asking.push(resolve));
  }

  push(value: Progress): void {
    const answer = this.#asking.shift();
    if (answer) answer({ value, done: false });
    else this.#unread = value;
  }

  end(): void {
    this.#ended = true;
    for (const answer of this.#asking.splice(0)) answer(END);
  }

  leave(): Promise<Read> {
    this.#unread = undefined;
    this.end();
    return Promise.resolve(END);
  }
}
