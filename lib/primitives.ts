/** What threads wait for and wake each other with, each awaitable. */
export { type Lines, type LinesOptions, lines } from './lines.js';
export type { Message, MessageItem, Received } from './messages.js';
export {
  Queue,
  type QueueHandle,
  type QueueOptions,
  type QueueStats,
  type ReceiveOptions,
  type SendingQueue,
  type SendOptions,
} from './queue.js';
export { Reactor, type ReactorStats, type WaitOptions, type WatchOptions } from './reactor.js';
export type { Readiness } from './readiness.js';
export { type ConnectOptions, Socket } from './socket.js';
export { WakeHandle } from './wake-handle.js';
export { type JoinOptions, type SpawnArgs, Worker, type WorkerOptions, type WorkerState } from './worker.js';
