/** What threads wait for and wake each other with, each awaitable. */
export { type Lines, type LinesOptions, lines } from './primitives/lines.js';
export type { Message, MessageItem, Received } from './primitives/messages.js';
export {
  Queue,
  type QueueHandle,
  type QueueOptions,
  type QueueStats,
  type ReceiveOptions,
  type SendingQueue,
  type SendOptions,
} from './primitives/queue.js';
export { Reactor, type ReactorStats, type WaitOptions, type WatchOptions } from './primitives/reactor.js';
export type { Readiness } from './primitives/readiness.js';
export { type ConnectOptions, Socket } from './primitives/socket.js';
export { WakeHandle } from './primitives/wake-handle.js';
export { type JoinOptions, type SpawnArgs, Worker, type WorkerOptions, type WorkerState } from './primitives/worker.js';
