/** What async_hooks see while something happens. */
import { createHook, executionAsyncId } from 'node:async_hooks';
import { setImmediate } from 'node:timers/promises';

export interface Scopes<T> {
  result: T;
  /** How often the scope of each resource was entered and left. */
  entered: ReadonlyMap<number, number>;
  left: ReadonlyMap<number, number>;
  /** Scopes that were left while another was the innermost, and those that were not left. */
  disorder: string[];
}

/** `act` gets a function that tells in the scope of which resource it is called. */
export async function watchScopes<T>(act: (current: () => number) => Promise<T>): Promise<Scopes<T>> {
  const entered = new Map<number, number>();
  const left = new Map<number, number>();
  const open: number[] = [];
  const disorder: string[] = [];
  const hook = createHook({
    before(id) {
      entered.set(id, (entered.get(id) ?? 0) + 1);
      open.push(id);
    },
    after(id) {
      if (open.length === 0 && !entered.has(id)) return; // it was entered before the hook was there
      left.set(id, (left.get(id) ?? 0) + 1);
      if (open.at(-1) === id) open.pop();
      else disorder.push(`${id} was left, ${open.at(-1)} was the innermost`);
    },
  });
  hook.enable();
  try {
    const result = await act(executionAsyncId);
    await setImmediate();
    const current = executionAsyncId();
    disorder.push(...open.filter((id) => id !== current).map((id) => `${id} was not left`));
    return { result, entered, left, disorder };
  } finally {
    hook.disable();
  }
}
