#if defined(_WIN32)

#include <winsock2.h>
#include <ws2tcpip.h>

#include <algorithm>
#include <cerrno>
#include <climits>

#include "platform/addrinfo.hpp"
#include "platform/errno_windows.hpp"
#include "platform/socket.hpp"
#include "platform/winsock_windows.hpp"

namespace offloop {
namespace {

int socket_errno() noexcept {
  const int error = WSAGetLastError();
  return error == WSAEWOULDBLOCK ? EAGAIN : errno_of(static_cast<unsigned long>(error));
}

int begin(const addrinfo& to, SOCKET& socket) noexcept {
  // Overlapped, as pollers want it; no child inherits it.
  socket =
      WSASocketW(to.ai_family, SOCK_STREAM, IPPROTO_TCP, nullptr, 0, WSA_FLAG_OVERLAPPED | WSA_FLAG_NO_HANDLE_INHERIT);
  if (socket == INVALID_SOCKET) return socket_errno();
  const BOOL on = TRUE;
  u_long never_blocks = 1;
  const bool prepared =
      ioctlsocket(socket, FIONBIO, &never_blocks) == 0 &&
      setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, reinterpret_cast<const char*>(&on), sizeof on) == 0;
  if (prepared &&
      (connect(socket, to.ai_addr, static_cast<int>(to.ai_addrlen)) == 0 || WSAGetLastError() == WSAEWOULDBLOCK)) {
    return 0;
  }
  const int error = socket_errno();
  closesocket(socket);
  return error;
}

int count_of(size_t size) noexcept { return static_cast<int>(std::min<size_t>(size, INT_MAX)); }

}  // namespace

int connect_socket(const char* address, uint16_t port, Descriptor& socket) noexcept {
  if (int error = start_sockets()) return error;
  addrinfo* const found = parse_address(address, port);
  if (!found) return EINVAL;
  SOCKET made = INVALID_SOCKET;
  const int error = begin(*found, made);
  freeaddrinfo(found);
  socket = static_cast<Descriptor>(made);
  return error;
}

int socket_error(Descriptor socket) noexcept {
  int error = 0;
  int size = sizeof error;
  if (getsockopt(socket, SOL_SOCKET, SO_ERROR, reinterpret_cast<char*>(&error), &size) != 0) return socket_errno();
  return error ? errno_of(static_cast<unsigned long>(error)) : 0;
}

/// Where its buffer is not full, Windows takes any amount at once, into memory of its own: a piece keeps that small.
int send_some(Descriptor socket, const uint8_t* from, size_t size, size_t& done) noexcept {
  constexpr size_t kPiece = 256 * 1024;
  const int count = send(socket, reinterpret_cast<const char*>(from), count_of(std::min(size, kPiece)), 0);
  if (count == SOCKET_ERROR) return socket_errno();
  done = static_cast<size_t>(count);
  return 0;
}

int receive_some(Descriptor socket, uint8_t* into, size_t size, size_t& done) noexcept {
  const int count = recv(socket, reinterpret_cast<char*>(into), count_of(size), 0);
  if (count == SOCKET_ERROR) return socket_errno();
  done = static_cast<size_t>(count);
  return 0;
}

int end_sending(Descriptor socket) noexcept { return shutdown(socket, SD_SEND) == 0 ? 0 : socket_errno(); }

void close_socket(Descriptor socket) noexcept { closesocket(socket); }

}  // namespace offloop

#endif
