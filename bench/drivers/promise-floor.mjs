// @ts-check

/** No closure around it: the floor is the promise and the microtask alone. */
const executor = /** @type {(resolve: (value?: unknown) => void) => void} */ (queueMicrotask);

/** What a promise costs when no thread is involved. */
/** @type {import('../types.d.ts').Driver} */
export const driver = {
  name: 'promise-floor',
  label: 'floor: bare promise',
  group: 'floor',
  open: async () => ({ noop: () => new Promise(executor) }),
};
