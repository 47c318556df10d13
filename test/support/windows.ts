/** Calls of Windows for which Node has no name. Handles and sockets are numbers, as a native addon would give them. */
import koffi from 'koffi';

const kernel = koffi.load('kernel32.dll');
const winsock = koffi.load('ws2_32.dll');

/** For overlapped calls, as what a reactor watches has to be. */
const FILE_FLAG_OVERLAPPED = 0x4000_0000;
const PIPE_ACCESS_DUPLEX = 3;
const WSA_FLAG_OVERLAPPED = 1;
const FIONBIO = 0x8004_667e | 0;

const createNamedPipe = kernel.func(
  'intptr_t __stdcall CreateNamedPipeW(str16 name, uint mode, uint kind, uint most, uint out, uint in, uint ms, void *security)',
);
const peekNamedPipe = kernel.func(
  'bool __stdcall PeekNamedPipe(intptr_t pipe, void *into, uint size, void *read, _Out_ uint *available, void *left)',
);
const createFile = kernel.func(
  'intptr_t __stdcall CreateFileW(str16 name, uint access, uint share, void *security, uint how, uint flags, intptr_t like)',
);
export const closeHandle: (handle: number) => boolean = kernel.func('bool __stdcall CloseHandle(intptr_t handle)');

/** Of a file, to be read. */
export function openHandle(path: string): number {
  const [GENERIC_READ, FILE_SHARE_READ, OPEN_EXISTING] = [0x8000_0000, 1, 3];
  return createFile(path, GENERIC_READ, FILE_SHARE_READ, null, OPEN_EXISTING, 0, 0);
}

/** One end of a new pipe, to whose name somebody else connects. */
export function openNamedPipe(name: string): number {
  return createNamedPipe(name, PIPE_ACCESS_DUPLEX | FILE_FLAG_OVERLAPPED, 0, 1, 65_536, 65_536, 0, null);
}

/** How many bytes there are to read. */
export function availableIn(pipe: number): number {
  const available = [0];
  peekNamedPipe(pipe, null, 0, null, available, null);
  return available[0] as number;
}

const openSocket = winsock.func(
  'intptr_t __stdcall WSASocketW(int family, int type, int protocol, void *info, uint group, uint flags)',
);
const bind = winsock.func('int __stdcall bind(intptr_t socket, void *address, int size)');
const listen = winsock.func('int __stdcall listen(intptr_t socket, int backlog)');
const getName = winsock.func('int __stdcall getsockname(intptr_t socket, void *address, _Inout_ int *size)');
const connect = winsock.func('int __stdcall connect(intptr_t socket, void *address, int size)');
const accept = winsock.func('intptr_t __stdcall accept(intptr_t socket, void *address, void *size)');
const control = winsock.func('int __stdcall ioctlsocket(intptr_t socket, int command, _Inout_ uint *value)');
/** As in C: how many bytes, or -1 where it would block. */
export const sendBytes: (socket: number, bytes: Buffer, size: number, flags: number) => number = winsock.func(
  'int __stdcall send(intptr_t socket, void *bytes, int size, int flags)',
);
export const receiveBytes: (socket: number, into: Buffer, size: number, flags: number) => number = winsock.func(
  'int __stdcall recv(intptr_t socket, void *into, int size, int flags)',
);
export const closeSocket: (socket: number) => number = winsock.func('int __stdcall closesocket(intptr_t socket)');

function newSocket(): number {
  const [AF_INET, SOCK_STREAM, IPPROTO_TCP] = [2, 1, 6];
  return openSocket(AF_INET, SOCK_STREAM, IPPROTO_TCP, null, 0, WSA_FLAG_OVERLAPPED);
}

/** The two ends of one connection, neither of which blocks. Node has started the sockets of the process. */
export function connectedSockets(): [number, number] {
  const address = Buffer.alloc(16);
  address.writeUInt16LE(2, 0);
  address.set([127, 0, 0, 1], 4);
  const listener = newSocket();
  bind(listener, address, address.length);
  listen(listener, 1);
  getName(listener, address, [address.length]);
  const first = newSocket();
  connect(first, address, address.length);
  const second = accept(listener, null, null);
  closeSocket(listener);
  for (const socket of [first, second]) control(socket, FIONBIO, [1]);
  return [first, second];
}
