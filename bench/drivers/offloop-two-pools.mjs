// @ts-check

/** Four threads in all, as many as Node's pool has by default. */
/** @type {import('../types.d.ts').Driver} */
export const driver = {
  name: 'offloop-two-pools',
  label: 'two offloop pools',
  group: 'offloop',
  async open() {
    const { Pool } = await import('offloop');
    const { lookup, readFile, scrypt } = await import('offloop/ops');
    const heavy = new Pool({ name: 'heavy', threads: 2 });
    const light = new Pool({ name: 'light', threads: 2 });
    return {
      scrypt: () => heavy.run(scrypt, ['password', 'salt', 64]),
      lookup: (host) => light.run(lookup, [host]),
      readFile: (path) => light.run(readFile, [path]),
      close: () => Promise.all([heavy.close(), light.close()]),
    };
  },
};
