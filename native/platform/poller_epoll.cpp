#if defined(__linux__)

#include "platform/poller_epoll.hpp"

#include <sys/epoll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

namespace offloop {

std::unique_ptr<EpollPoller> EpollPoller::open(int& error) {
  const int fd = epoll_create1(EPOLL_CLOEXEC);
  if (fd < 0) {
    error = errno;
    return nullptr;
  }
  return std::unique_ptr<EpollPoller>(new EpollPoller(fd));
}

EpollPoller::~EpollPoller() { close(epoll_); }

int EpollPoller::watch(Descriptor fd, Interest interest, void* tag) noexcept {
  epoll_event event{};
  if (static_cast<int>(interest) & static_cast<int>(Interest::readable)) event.events |= EPOLLIN;
  if (static_cast<int>(interest) & static_cast<int>(Interest::writable)) event.events |= EPOLLOUT;
  event.data.ptr = tag;
  return epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event) == 0 ? 0 : errno;
}

int EpollPoller::unwatch(Descriptor fd) noexcept {
  return epoll_ctl(epoll_, EPOLL_CTL_DEL, fd, nullptr) == 0 ? 0 : errno;
}

size_t EpollPoller::wait(std::span<Ready> ready, std::chrono::nanoseconds timeout) noexcept {
  std::array<epoll_event, 64> events;
  const int most = static_cast<int>(std::min(ready.size(), events.size()));
  // Not repeated after a signal: the whole time would be waited anew, and signals that keep coming would make it endless.
  const int count = epoll_wait(epoll_, events.data(), most, to_milliseconds(timeout));
  for (int i = 0; i < count; ++i) {
    const uint32_t what = events[i].events;
    const bool broken = what & (EPOLLERR | EPOLLHUP);
    ready[i] = {events[i].data.ptr, broken || (what & EPOLLIN), broken || (what & EPOLLOUT)};
  }
  return count > 0 ? static_cast<size_t>(count) : 0;
}

}  // namespace offloop

#endif
