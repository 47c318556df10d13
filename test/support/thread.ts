/** Other threads of this process, which use the package as users import it. */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { afterEach } from 'vitest';

interface Answer {
  id: number;
  value?: unknown;
  error?: object;
}

/** A worker_thread that ends with the test. */
export class Thread {
  readonly #worker: Worker;
  readonly #asked = new Map<number, (answer: Answer) => void>();
  #next = 0;

  /** @param name what the deeds know as `name` */
  constructor(name: string) {
    this.#worker = new Worker(new URL('./thread.mjs', import.meta.url), { workerData: name, execArgv: [] });
    this.#worker.on('message', (answer: Answer) => this.#asked.get(answer.id)?.(answer));
    opened.push(this);
  }

  /** Has the thread do `body`, an async function's; what it returns, or throws. */
  async do<T>(body: string): Promise<T> {
    const id = this.#next++;
    const answered = new Promise<Answer>((resolve) => this.#asked.set(id, resolve));
    this.#worker.postMessage({ id, body });
    const { value, error } = await answered;
    if (error !== undefined) throw Object.assign(new Error(), error);
    return value as T;
  }

  async terminate(): Promise<void> {
    await this.#worker.terminate();
  }

  /** Resolves with the code when the thread has ended by itself. */
  async ended(): Promise<number> {
    const [code] = await once(this.#worker, 'exit');
    return code;
  }
}

const opened: Thread[] = [];

afterEach(async () => {
  await Promise.all(opened.splice(0).map((thread) => thread.terminate()));
});
