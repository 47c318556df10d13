/** Web streams over a stage: a source, a sink, and what lies between. */
import type {
  ReadableByteStreamController,
  ReadableStream,
  ReadableStreamDefaultController,
  TransformStream,
  WritableStreamDefaultController as UntypedController,
  WritableStream,
} from 'node:stream/web';
import { onAbort } from '../abort.js';
import { NOTHING, pieceOf, type Stage } from './stage.js';

/** Node's types lack the signal, which tells of an abort before the write that is under way has ended. */
type WritableStreamDefaultController = UntypedController & { readonly signal: AbortSignal };

export interface Terms {
  readonly highWaterMark: number;
  readonly signal: AbortSignal | undefined;
}

/** Loaded when somebody wants a stream: it takes longer than all of offloop. */
const web = () => process.getBuiltinModule('node:stream/web');

/** Errors the stream and ends the stage when the signal is aborted. */
function watch(stage: Stage, signal: AbortSignal | undefined, fail: (reason: unknown) => void): void {
  if (signal === undefined) return;
  stage.onOver = onAbort(signal, (reason) => {
    fail(reason);
    stage.end(reason);
  });
}

export function makeReadable(stage: Stage, { highWaterMark, signal }: Terms): ReadableStream<Uint8Array> {
  let controller!: ReadableByteStreamController;
  const source = {
    type: 'bytes' as const,
    start(its: ReadableByteStreamController) {
      controller = its;
    },
    async pull() {
      const view = controller.byobRequest?.view;
      const room = view ? new Uint8Array(view.buffer, view.byteOffset, view.byteLength) : stage.room();
      const { given, ended } = await stage.step(NOTHING, room, true);
      if (given > 0 && !view) controller.enqueue(stage.chunkOf(room as Buffer, given) as Buffer);
      if (given > 0 && view) controller.byobRequest?.respond(given);
      if (!ended) return;
      controller.close();
      controller.byobRequest?.respond(0); // the reader's memory goes back
    },
    cancel(reason: unknown) {
      stage.end(reason);
    },
  };
  const { ReadableStream } = web();
  const stream = new ReadableStream(source, { highWaterMark });
  watch(stage, signal, (reason) => controller.error(reason));
  return stream;
}

export function makeWritable(stage: Stage, { highWaterMark, signal }: Terms): WritableStream<unknown> {
  let controller!: WritableStreamDefaultController;
  const sink = {
    start(its: UntypedController) {
      controller = its as WritableStreamDefaultController;
      const { signal } = controller;
      signal.addEventListener('abort', () => stage.end(signal.reason));
    },
    async write(chunk: unknown) {
      try {
        const bytes = stage.bytesOf(chunk);
        const size = bytes.byteLength;
        for (let at = 0; at < size; ) at += (await stage.step(pieceOf(bytes, at), NOTHING, false)).taken;
      } catch (error) {
        stage.end(error);
        throw error;
      }
    },
    async close() {
      while (!(await stage.step(NOTHING, NOTHING, true)).ended);
    },
    abort(reason: unknown) {
      stage.end(reason);
    },
  };
  const { WritableStream } = web();
  const stream = new WritableStream(sink, { highWaterMark });
  watch(stage, signal, (reason) => controller.error(reason));
  return stream;
}

/** A TransformStream whose sides are a Passage's. */
export function makeTransform(stage: Stage, terms: Terms): TransformStream<unknown, unknown> {
  const { readable, writable } = new Passage(stage, terms);
  const stream = new (web().TransformStream)();
  // Its own sides are nobody's. While they are locked the whole cannot be transferred to another thread, as if it were one.
  stream.readable.getReader();
  stream.writable.getWriter();
  return Object.defineProperties(stream, { readable: { value: readable }, writable: { value: writable } });
}

/**
 * Both sides of a transform. TransformStream's own cannot wait in the middle of a chunk, so what a chunk becomes would pile
 * up. Otherwise it does as that does: takes a chunk when the reader has room for one, errors both sides when either fails,
 * and ends without waiting for the reader.
 */
class Passage {
  readonly readable: ReadableStream<unknown>;
  readonly writable: WritableStream<unknown>;
  readonly #stage: Stage;
  #output!: ReadableStreamDefaultController<unknown>;
  #input!: UntypedController;
  /** The reader has room for a chunk; who waits for that, and who waits for the chunk. */
  #isWanted = false;
  #onWanted: (() => void) | undefined;
  #onGiven: (() => void) | undefined;
  /** The task takes no more: what is still written is ignored, as what follows the end of the data is. */
  #hasEnded = false;

  constructor(stage: Stage, { highWaterMark, signal }: Terms) {
    const { ReadableStream, WritableStream } = web();
    this.#stage = stage;
    this.readable = new ReadableStream<unknown>(
      {
        start: (controller) => {
          this.#output = controller;
        },
        pull: () => this.#want(),
        cancel: (reason) => {
          this.#input.error(reason);
          this.#stop(reason);
        },
      },
      { highWaterMark },
    );
    this.writable = new WritableStream<unknown>({
      start: (controller) => {
        this.#input = controller;
        const { signal } = controller as WritableStreamDefaultController;
        signal.addEventListener('abort', () => this.#stop(signal.reason));
      },
      write: (chunk) => this.#guarded(() => this.#write(chunk)),
      close: () => this.#guarded(() => this.#flush()),
      abort: (reason) => {
        this.#stop(reason);
        this.#output.error(reason);
      },
    });
    watch(stage, signal, (reason) => {
      this.#output.error(reason);
      this.#input.error(reason);
      this.#stop(reason);
    });
  }

  async #write(chunk: unknown): Promise<void> {
    if (this.#hasEnded) return;
    if (!this.#isWanted) await this.#wanted();
    const bytes = this.#stage.bytesOf(chunk);
    const size = bytes.byteLength;
    let mayHoldMore = false; // the room was filled, so there may be more where that came from
    for (let at = 0; (at < size || mayHoldMore) && !this.#hasEnded; ) {
      if (!this.#isWanted) await this.#wanted();
      const room = this.#stage.room();
      const { taken, given } = await this.#step(at < size ? pieceOf(bytes, at) : NOTHING, room, false);
      at += taken;
      mayHoldMore = given === room.byteLength;
    }
  }

  async #flush(): Promise<void> {
    while (!this.#hasEnded) await this.#step(NOTHING, this.#stage.room(), true);
  }

  async #step(input: Uint8Array, room: Buffer, isLast: boolean): Promise<{ taken: number; given: number }> {
    const { taken, given, ended } = await this.#stage.step(input, room, isLast);
    if (!ended) this.#stage.throwIfOver(); // cancelled or aborted just now
    if (given > 0) this.#give(this.#stage.chunkOf(room, given));
    if (ended) {
      this.#hasEnded = true;
      this.#output.close();
    }
    return { taken, given };
  }

  /** Either side's failure is the other's. */
  async #guarded(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.#output.error(error);
      this.#stop(error);
      throw error;
    }
  }

  /** The reader has room for a chunk. It asks again when it has got that. */
  #want(): Promise<void> {
    this.#isWanted = true;
    this.#onWanted?.();
    return new Promise((resolve) => {
      this.#onGiven = resolve;
    });
  }

  /** Rejects with the reason if the stream is stopped meanwhile. */
  async #wanted(): Promise<void> {
    this.#stage.throwIfOver();
    await new Promise<void>((resolve) => {
      this.#onWanted = resolve;
    });
    this.#stage.throwIfOver();
  }

  #give(chunk: unknown): void {
    this.#isWanted = false;
    this.#output.enqueue(chunk);
    this.#onGiven?.();
  }

  #stop(reason: unknown): void {
    this.#stage.end(reason);
    this.#onWanted?.();
  }
}
