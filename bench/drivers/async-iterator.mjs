// @ts-check

let next = 0;
const numbers = {
  next: () => Promise.resolve({ value: next++, done: false }),
  [Symbol.asyncIterator]: () => numbers,
};

/** What `for await` costs when no thread is involved. */
/** @type {import('../types.d.ts').Driver} */
export const driver = {
  name: 'async-iterator',
  label: 'floor: bare async iterator',
  group: 'floor',
  open: async () => ({
    async flood(count) {
      let left = count;
      for await (const _ of numbers) {
        left -= 1;
        if (left === 0) break;
      }
    },
    echo: () => Promise.resolve(next++),
  }),
};
