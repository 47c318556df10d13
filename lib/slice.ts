/** How long those who always find something at once may keep the loop: an await that never has to wait lets nobody else in. */
import { performance } from 'node:perf_hooks';
import { setImmediate } from 'node:timers'; // not the global, which tests put a clock of their own behind

const SLICE_MS = 1;
/** How often the loop is known to have turned. */
let turns = 0;

/** The loop has turned: native code was heard. */
export function noteTurn(): void {
  ++turns;
}

/** The time of one who goes on and on. */
export class Slice {
  #turn = -1;
  #began = 0;

  /** Whether timers and sockets come first now. To be asked before going on at once. */
  isUp(): boolean {
    const now = performance.now();
    if (this.#turn === turns) return now - this.#began > SLICE_MS;
    this.#turn = turns;
    this.#began = now;
    return false;
  }
}

/** Lets the loop turn. */
export function turn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(() => {
      noteTurn();
      resolve();
    });
  });
}
