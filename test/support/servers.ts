/** Servers of TCP for tests, which end with the test. */
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';

const servers: Server[] = [];

/** @returns its port */
export async function listen(onConnection: (socket: Socket) => void, host = '127.0.0.1'): Promise<number> {
  const server = createServer((socket) => {
    socket.on('error', () => {});
    onConnection(socket);
  });
  servers.push(server);
  onTestFinished(stopListening);
  server.listen(0, host);
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

export const listenAndEcho = () => listen((socket) => socket.pipe(socket));

/** Nobody listens any more; connections go on. */
export function stopListening(): void {
  for (const server of servers.splice(0)) server.close();
}
