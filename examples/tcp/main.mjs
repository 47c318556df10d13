// @ts-check
// Thousands of TCP connections to a local echo server, on one reactor and on node:net. Start reading at ways/offloop.mjs.
import { execFileSync, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const file = (/** @type {string} */ name) => fileURLToPath(new URL(name, import.meta.url));

const number = (/** @type {string} */ fallback) => ({ type: /** @type {const} */ ('string'), default: fallback });
const options = { connections: number('2000'), exchanges: number('20'), bytes: number('64') };
const { values } = parseArgs({ options });
const [wanted, exchanges, bytes] = [values.connections, values.exchanges, values.bytes].map(Number);
if (![wanted, exchanges, bytes].every((each) => Number.isInteger(each) && each > 0)) {
  console.error('npm run example:tcp -- [--connections 2000] [--exchanges 20] [--bytes 64]: whole numbers, 1 or more');
  process.exit(2);
}

const connections = Math.min(wanted, mostDescriptors() - 100);
if (connections < wanted) console.log(`${connections} connections: more are not allowed here (ulimit -n)`);

const server = fork(file('server.mjs'));
const [port] = await once(server, 'message');
try {
  console.log(`${connections} connections, ${exchanges} exchanges of ${bytes} bytes on each\n`);
  console.log(row('', 'connected', 'exchanges/s', 'p50', 'p99', 'CPU/exchange'));
  for (const way of ['offloop', 'node']) {
    const args = [file('client.mjs'), way, port, connections, exchanges, bytes].map(String);
    const told = execFileSync(process.execPath, args, { encoding: 'utf8', timeout: 120_000 });
    const [connectMs, perSecond, p50, p99, cpuUs] = JSON.parse(told);
    const [connected, half, most] = [connectMs, p50, p99].map((value) => `${value.toFixed(1)} ms`);
    const rest = [Math.round(perSecond).toLocaleString('en-US'), half, most, `${cpuUs.toFixed(1)} µs`];
    console.log(row(way === 'node' ? 'node:net' : way, connected, ...rest));
  }
} finally {
  server.disconnect();
}

/** How many descriptors a process may have; some systems do not say. */
function mostDescriptors() {
  const { userLimits } = /** @type {any} */ (process.report.getReport());
  const most = Number(userLimits?.open_files?.soft);
  return most > 0 ? most : Number.POSITIVE_INFINITY;
}

function row(title = '', /** @type {string[]} */ ...cells) {
  return title.padEnd(10) + cells.map((cell) => cell.padStart(14)).join('');
}
