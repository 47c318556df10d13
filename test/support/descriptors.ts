/** Descriptors to wait for, of which both ends are the test's. They are closed after each test. */
export interface Pipe {
  readonly reading: number;
  readonly writing: number;
}

export interface Descriptors {
  openPipe(): Pipe;
  /** Both ends in one: always writable until it is full, readable when there is something. */
  openBoth(): number;
  openFile(path: string): number;
  close(fd: number): void;
  /** Has `bytes` come out of the other end; of what has both, out of itself. */
  send(fd: number, bytes?: number): void;
  /** Reads all there is. Returns how much that was. */
  drain(fd: number): number;
  /** Writes until there is no more room. */
  fill(fd: number): void;
}

const module: Descriptors =
  process.platform === 'win32' ? await import('./descriptors-windows.js') : await import('./descriptors-posix.js');

export const { openPipe, openBoth, openFile, close, send, drain, fill } = module;
