// @ts-check
// A TCP client on the reactor: every connection of this process waits in one native thread.
import { Reactor, Socket } from 'offloop/primitives';

const reactor = new Reactor();

/** @type {import('../client.mjs').Connect} */
export async function connect(port) {
  const socket = await Socket.connect(reactor, { host: '127.0.0.1', port });
  return {
    async exchange(message) {
      await socket.write(message);
      for (let left = message.length; left > 0; ) {
        const bytes = await socket.read();
        if (bytes === null) throw new Error('the server has hung up');
        left -= bytes.length;
      }
    },
    close: () => socket.close(),
  };
}
