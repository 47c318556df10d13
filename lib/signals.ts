/**
 * How the objects of `offloop/primitives` wait: native code raises a signal, which says "look again" and nothing else.
 *
 * Who waits looks first, then calls `wait`, then looks again whenever it is called back, until it has what it wants.
 */
import type { Rings } from './native.js';
import { noteTurn } from './slice.js';

const callbacks = new Map<number, () => void>();
let rings: Pick<Rings, 'listen'>;
let waits = 0;

/** Once, before the first signal. */
export function listenWith(ringsOfThread: Pick<Rings, 'listen'>): void {
  rings = ringsOfThread;
}

/** Has `callback` called whenever the signal of that number arrives; the process stays alive meanwhile. */
export function wait(number: number, callback: () => void): void {
  if (callbacks.has(number)) throw new Error(`signal ${number} has somebody who waits for it`);
  callbacks.set(number, callback);
  if (++waits === 1) rings.listen(true);
}

/** The opposite; without effect when nobody waits. */
export function unwait(number: number): void {
  if (callbacks.delete(number) && --waits === 0) rings.listen(false);
}

/** A signal has arrived. Whoever waited for it may have gone. */
export function hear(number: number): void {
  noteTurn();
  callbacks.get(number)?.();
}
