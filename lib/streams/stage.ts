/** A task at work on a stream: one step after another, each a task of its own, on a state that lives between them. */
import { checkData } from '../check.js';
import { statusError } from '../errors.js';
import { copied, toUint8Array } from '../memory.js';
import { type NativeStream, native } from '../native.js';
import * as ring from '../ring.js';
import { Definition, type StreamForm } from '../task.js';
import { Ticket } from '../ticket.js';

/** Submits a step. Throws what the task's own checks throw. */
export type SubmitStep = (definition: Definition<never, unknown>, args: readonly unknown[], ticket: Ticket) => void;

/** What a step has done: bytes taken from the input and written to the room, and whether there will be no more. */
export interface Step {
  readonly taken: number;
  readonly given: number;
  readonly ended: boolean;
}

type StepArgs = readonly [
  args: readonly unknown[],
  input: Uint8Array,
  room: Uint8Array,
  isLast: boolean,
  stream: NativeStream,
];

const MOST_INPUT = 256 * 1024;

/** No input, or no room. */
export const NOTHING: Uint8Array = Buffer.allocUnsafeSlow(0);

const END_STREAM = new Definition<readonly [NativeStream], undefined>({
  name: 'endStream',
  operation: native.operations.length + native.steps.indexOf('endStream'),
  encode: ([stream], cells) => cells.stream(stream),
  decode: undefined,
  channels: false,
  stream: undefined,
});

/**
 * The native state is destroyed by the step that ends or fails, or else by one more task, or, where no pool takes that, on
 * the event loop: however a stream ends, once. Of a stream that nobody has any more the garbage collector sees to it.
 */
export class Stage {
  readonly #definition: Definition<StepArgs, Step>;
  readonly #form: StreamForm;
  readonly #args: readonly unknown[];
  readonly #submit: SubmitStep;
  readonly #chunkSize: number;
  readonly #stream = native.makeStream();
  /** The step that is under way, until it has come home. */
  #ticket: Ticket | undefined;
  #hasBegun = false;
  #isOver = false;
  #reason: unknown;
  #spare: Buffer | undefined;
  /** To be called when it is over. */
  onOver: (() => void) | undefined;

  /** @throws what the task's own checks throw, for arguments that cannot be */
  constructor(name: string, form: StreamForm, args: readonly unknown[], chunkSize: number, submit: SubmitStep) {
    this.#form = form;
    this.#submit = submit;
    this.#chunkSize = chunkSize;
    this.#definition = new Definition<StepArgs, Step>({
      name,
      operation: form.operation,
      encode([args, input, room, isLast, stream], cells) {
        form.encode(form.withData(args as never, input), cells);
        cells.room(room);
        cells.boolean(isLast);
        cells.stream(stream);
      },
      decode: ([taken, given, ended]: readonly [number, number, boolean]): Step => ({ taken, given, ended }),
      channels: false,
      stream: undefined,
    });
    ring.check(this.#definition, [args, NOTHING, NOTHING, false, this.#stream]);
    this.#args = args.map(snapshot);
  }

  /**
   * Takes from the input and gives to the room, which is the stage's until the step has come home. One at a time.
   *
   * @param isLast - nothing follows the input
   * @rejects as the task does; after that, and after a step that has ended, there are no more
   */
  async step(input: Uint8Array, room: Uint8Array, isLast: boolean): Promise<Step> {
    this.throwIfOver();
    const ticket = new Ticket(this.#definition.name, this.#definition.decode);
    const promise = ticket.promise() as Promise<Step>;
    ticket.listeners.push({ cameHome: () => this.#cameHome() });
    this.#ticket = ticket;
    this.#hasBegun = true;
    try {
      this.#submit(this.#definition, [this.#args, input, room, isLast, this.#stream], ticket);
      const step = await promise;
      if (step.ended) this.#finish();
      return step;
    } catch (error) {
      if (ticket.slot < 0) this.#ticket = undefined; // was never submitted
      this.end(error);
      throw error;
    }
  }

  /** Nobody wants more: stops a step that is under way, which rejects with the reason, and gives the state up. */
  end(reason: unknown): void {
    if (this.#isOver) return;
    this.#finish();
    this.#reason = reason;
    if (this.#ticket !== undefined) ring.cancel(this.#ticket, reason);
    else this.#giveUp();
  }

  /** @throws the reason of its end */
  throwIfOver(): void {
    if (this.#isOver) throw this.#reason;
  }

  /** What was written, as the task takes it. @throws TypeError ERR_INVALID_ARG_TYPE, OffloopError ERR_OFFLOOP_DETACHED */
  bytesOf(chunk: unknown): Uint8Array {
    const data = checkData('chunk', chunk);
    const bytes = typeof data === 'string' ? Buffer.from(data, this.#form.taking) : toUint8Array(data);
    if (bytes === undefined) throw statusError('DETACHED', this.#definition.name);
    return bytes;
  }

  /** Memory for the output of a step. */
  room(): Buffer {
    this.#spare ??= Buffer.allocUnsafeSlow(this.#chunkSize);
    return this.#spare;
  }

  /** A chunk of what a step has given to the room: bytes in memory of their own, of which they use at least the half. */
  chunkOf(room: Buffer, given: number): unknown {
    const bytes = room.subarray(0, given);
    const { toText } = this.#form;
    if (toText !== undefined) return toText(bytes);
    if (given * 2 >= room.byteLength) {
      this.#spare = undefined; // the chunk is in it
      return bytes;
    }
    const copy = Buffer.allocUnsafeSlow(given);
    copy.set(bytes);
    return copy;
  }

  #finish(): void {
    this.#isOver = true;
    this.onOver?.();
    this.onOver = undefined;
  }

  #cameHome(): void {
    this.#ticket = undefined;
    if (this.#isOver) this.#giveUp();
  }

  #giveUp(): void {
    const drop = () => native.dropStream(this.#stream);
    if (!this.#hasBegun) {
      drop();
      return;
    }
    const ticket = new Ticket(END_STREAM.name, undefined);
    ticket.resolve = ticket.reject = () => {};
    ticket.listeners.push({ cameHome: drop });
    try {
      this.#submit(END_STREAM, [this.#stream], ticket);
    } catch {
      drop(); // no memory for one more task
    }
  }
}

/** What an argument is now: steps read it again and again. */
function snapshot(argument: unknown): unknown {
  if (typeof argument !== 'object' || argument === null) return argument;
  if (argument instanceof URL) return new URL(argument);
  if (ArrayBuffer.isView(argument)) return copied(argument as Uint8Array);
  return Object.fromEntries(keysOf(argument).map((key) => [key, argument[key as never]]));
}

/** Whatever can be read of options, as with Node's own: they may be inherited, or getters of a class. */
function keysOf(options: object): string[] {
  const keys = new Set<string>();
  for (let at = options; at !== null && at !== Object.prototype; at = Object.getPrototypeOf(at)) {
    for (const key of Object.getOwnPropertyNames(at)) keys.add(key);
  }
  return [...keys];
}

/**
 * What a step is to take of the bytes, from `at` on. Not all that there may be: on some hosts it is copied, see lib/memory.ts,
 * and the step may take little of it. A view that was detached meanwhile stays as it is: native code refuses it.
 */
export function pieceOf(bytes: Uint8Array, at: number): Uint8Array {
  return bytes.byteLength === 0 ? bytes : bytes.subarray(at, at + MOST_INPUT);
}
