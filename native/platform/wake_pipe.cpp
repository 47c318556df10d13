#if !defined(_WIN32)

#include "platform/wake_pipe.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

namespace offloop {

std::unique_ptr<Pipe> Pipe::open(int& error) {
  std::unique_ptr<Pipe> it(new Pipe);
  if (pipe(it->ends_) != 0) {
    error = errno;
    return nullptr;
  }
  for (Descriptor end : it->ends_) {
    fcntl(end, F_SETFD, FD_CLOEXEC);
    fcntl(end, F_SETFL, fcntl(end, F_GETFL) | O_NONBLOCK);
  }
  return it;
}

Pipe::~Pipe() {
  for (Descriptor end : ends_) {
    if (end >= 0) close(end);
  }
}

void Pipe::fill() noexcept {
  const char byte = 0;
  // EAGAIN: the pipe is full, so the handle is rung already.
  while (write(ends_[1], &byte, 1) < 0 && errno == EINTR) {
  }
}

void Pipe::empty() noexcept {
  char bytes[256];
  for (;;) {
    const ssize_t count = read(ends_[0], bytes, sizeof bytes);
    if (count == static_cast<ssize_t>(sizeof bytes) || (count < 0 && errno == EINTR)) continue;
    return;
  }
}

}  // namespace offloop

#endif
