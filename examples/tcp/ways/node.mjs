// @ts-check
// The same client on node:net.
import { once } from 'node:events';
import { createConnection } from 'node:net';

/** @type {import('../client.mjs').Connect} */
export async function connect(port) {
  const socket = createConnection({ host: '127.0.0.1', port, noDelay: true });
  await once(socket, 'connect');
  let left = 0;
  let answered = () => {};
  socket.on('data', (bytes) => {
    left -= bytes.length;
    if (left === 0) answered();
  });
  return {
    exchange: (message) =>
      new Promise((resolve) => {
        left = message.length;
        answered = () => resolve(undefined);
        socket.write(message);
      }),
    close: () => socket.destroy(),
  };
}
