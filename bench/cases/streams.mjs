// @ts-check

const chunkBytes = 65_536;
const chunksPerStream = 256;

/** Text that repeats itself here and there: a stream of 16 MiB. */
function* chunks() {
  const chunk = Buffer.alloc(chunkBytes);
  for (let at = 0; at < chunkBytes; at += 64)
    chunk.write(`line ${(at * 7919) % 10_007} of a log, and ${at ^ 0x5a5a} more\n`, at);
  for (let i = 0; i < chunksPerStream; i += 1) yield chunk;
}

/** @type {import('../types.d.ts').Case} */
export const gzipStream = {
  name: 'streams/gzip',
  title: 'gzip of a stream in chunks of 64 KiB, one stream at a time',
  drivers: ['offloop-balanced', 'create-gzip', 'compression-stream'],
  columns: [{ metric: 'mib_per_s', head: 'MiB/s', digits: 0 }],
  baselines: ['compression-stream'],
  async measure(driver, { warmMs, measureMs }) {
    const session = await driver.open();
    const perSecond = async (/** @type {number} */ ms) => {
      const began = performance.now();
      let streams = 0;
      for (; performance.now() - began < ms; streams += 1) {
        if ((await session.gzipStream(chunks())) === 0) throw new Error('nothing came out');
      }
      return (streams * chunksPerStream * chunkBytes) / 2 ** 20 / ((performance.now() - began) / 1000);
    };
    await perSecond(warmMs);
    const mibPerSecond = await perSecond(measureMs);
    await session.close?.();
    return { mib_per_s: mibPerSecond };
  },
};
