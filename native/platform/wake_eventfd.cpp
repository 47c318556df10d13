#if defined(__linux__)

#include "platform/wake_eventfd.hpp"

#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>

namespace offloop {

std::unique_ptr<EventfdWake> EventfdWake::open(EpollPoller& poller, int& error, void* tag) {
  std::unique_ptr<EventfdWake> wake(new EventfdWake(poller));  // first: without memory, a descriptor would be lost
  wake->fd_ = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  error = wake->fd_ < 0 ? errno : poller.watch(wake->fd_, Interest::readable, tag, Trigger::edge);
  return error ? nullptr : std::move(wake);
}

EventfdWake::~EventfdWake() {
  if (fd_ < 0) return;
  poller_.unwatch(fd_);
  close(fd_);
}

void EventfdWake::ring() noexcept {
  if (!rung_.raise()) return;
  const uint64_t one = 1;
  while (write(fd_, &one, sizeof one) < 0 && errno == EINTR) {
  }
}

}  // namespace offloop

#endif
