/** Tasks that read much memory: one that can be stopped, and one that cannot. */
import { Pool } from 'offloop';
import { fromBase64, hash, scrypt } from 'offloop/ops';

/** More than malloc keeps for itself. */
const SIZE = 40 * 1024 * 1024;

/** Memory that ends in different ways. */
export async function make(kind) {
  switch (kind) {
    case 'result':
      return fromBase64('A'.repeat(Math.ceil(SIZE / 3) * 4));
    case 'wasm':
      return new Uint8Array(new WebAssembly.Memory({ initial: SIZE / 65_536 }).buffer);
    case 'shared':
      return new Uint8Array(new SharedArrayBuffer(SIZE));
    default:
      return new Uint8Array(SIZE);
  }
}

/** Has two threads read the memory, and tells when they do. The second takes about 50 ms times its cost. */
export function lend(data, cost) {
  const [stoppable, unstoppable] = [new Pool({ name: 'lend', threads: 1 }), new Pool({ name: 'lend', threads: 1 })];
  stoppable.run(hash, ['sha512', data]).catch(() => {});
  unstoppable.run(scrypt, [data, 'salt', 64, { p: cost }]).catch(() => {});
  const began = ({ running, inFlight }) => running > 0 || inFlight === 0;
  return () => [stoppable, unstoppable].every((pool) => began(pool.stats()));
}
