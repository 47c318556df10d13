// @ts-check
// One way, in a process of its own: connects, has every connection exchange messages, and tells what that took.

/** @typedef {{ exchange(message: Uint8Array): Promise<unknown>, close(): void }} Connection */
/** @typedef {(port: number) => Promise<Connection>} Connect */

const [way, ...numbers] = process.argv.slice(2);
const [port, connections, exchanges, bytes] = numbers.map(Number);
/** @type {{ connect: Connect }} */
const { connect } = await import(`./ways/${way}.mjs`);

const message = Buffer.alloc(bytes, 'ping ');
/** @type {Connection[]} */
const open = [];
// Once it has been answered, too: the system connects before the server knows of it.
const begin = () => connect(port).then((it) => it.exchange(message).then(() => it));
const began = performance.now();
while (open.length < connections) {
  const some = Math.min(200, connections - open.length); // no more at once than a server lets wait
  open.push(...(await Promise.all(Array.from({ length: some }, begin))));
}
const connected = performance.now();

const latencies = new Float64Array(connections * exchanges);
let count = 0;
const cpu = process.cpuUsage();
await Promise.all(
  open.map(async (connection) => {
    for (let i = 0; i < exchanges; ++i) {
      const sent = performance.now();
      await connection.exchange(message);
      latencies[count++] = performance.now() - sent;
    }
  }),
);
const { user, system } = process.cpuUsage(cpu);
const seconds = (performance.now() - connected) / 1000;
for (const connection of open) connection.close();

latencies.sort();
const percentile = (/** @type {number} */ share) => latencies[Math.floor(share * (latencies.length - 1))];
const told = [connected - began, count / seconds, percentile(0.5), percentile(0.99), (user + system) / count];
console.log(JSON.stringify(told));
