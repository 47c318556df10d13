#if !defined(_WIN32)

#include <arpa/inet.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>

#include "platform/addrinfo.hpp"
#include "platform/socket.hpp"

namespace offloop {
namespace {

#if defined(MSG_NOSIGNAL)
constexpr int kSendFlags = MSG_NOSIGNAL;
#else
constexpr int kSendFlags = 0;  // SO_NOSIGPIPE instead
#endif

int set(Descriptor socket, int level, int option) noexcept {
  const int on = 1;
  return setsockopt(socket, level, option, &on, sizeof on) == 0 ? 0 : errno;
}

int prepare(Descriptor socket) noexcept {
  if (fcntl(socket, F_SETFD, FD_CLOEXEC) < 0 || fcntl(socket, F_SETFL, O_NONBLOCK) < 0) return errno;
#if defined(SO_NOSIGPIPE)
  if (int error = set(socket, SOL_SOCKET, SO_NOSIGPIPE)) return error;
#endif
  return set(socket, IPPROTO_TCP, TCP_NODELAY);
}

int begin(const addrinfo& to, Descriptor& socket) noexcept {
#if defined(SOCK_CLOEXEC)
  socket = ::socket(to.ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);  // no child may come in between
#else
  socket = ::socket(to.ai_family, SOCK_STREAM, 0);
#endif
  if (socket < 0) return errno;
  int error = prepare(socket);
  // Interrupted by a signal, it goes on all the same.
  if (!error && connect(socket, to.ai_addr, to.ai_addrlen) != 0 && errno != EINPROGRESS && errno != EINTR)
    error = errno;
  if (error) close_socket(socket);
  return error;
}

}  // namespace

int connect_socket(const char* address, uint16_t port, Descriptor& socket) noexcept {
  addrinfo* const found = parse_address(address, port);
  if (!found) return EINVAL;
  const int error = begin(*found, socket);
  freeaddrinfo(found);
  return error;
}

int socket_error(Descriptor socket) noexcept {
  int error = 0;
  socklen_t size = sizeof error;
  return getsockopt(socket, SOL_SOCKET, SO_ERROR, &error, &size) == 0 ? error : errno;
}

int send_some(Descriptor socket, const uint8_t* from, size_t size, size_t& done) noexcept {
  ssize_t count = 0;
  do count = send(socket, from, size, kSendFlags);
  while (count < 0 && errno == EINTR);
  if (count < 0) return errno == EWOULDBLOCK ? EAGAIN : errno;
  done = static_cast<size_t>(count);
  return 0;
}

int receive_some(Descriptor socket, uint8_t* into, size_t size, size_t& done) noexcept {
  ssize_t count = 0;
  do count = recv(socket, into, size, 0);
  while (count < 0 && errno == EINTR);
  if (count < 0) return errno == EWOULDBLOCK ? EAGAIN : errno;
  done = static_cast<size_t>(count);
  return 0;
}

int end_sending(Descriptor socket) noexcept { return ::shutdown(socket, SHUT_WR) == 0 ? 0 : errno; }

void close_socket(Descriptor socket) noexcept { close(socket); }

}  // namespace offloop

#endif
