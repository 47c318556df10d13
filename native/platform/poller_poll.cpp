#if !defined(_WIN32)

#include "platform/poller_poll.hpp"

#include <fcntl.h>
#include <poll.h>

#include <algorithm>
#include <cerrno>
#include <new>

namespace offloop {

std::unique_ptr<PollPoller> PollPoller::open(int& error) {
  error = 0;
  return std::unique_ptr<PollPoller>(new PollPoller);
}

int PollPoller::watch(Descriptor fd, Interest interest, void* tag) noexcept {
  if (fcntl(fd, F_GETFD) < 0) return errno;
  std::lock_guard lock(mutex_);
  for (const Watched& watched : watched_) {
    if (watched.fd == fd) return EEXIST;
  }
  try {
    watched_.push_back({fd, interest, tag});
  } catch (const std::bad_alloc&) {
    return ENOMEM;
  }
  return 0;
}

int PollPoller::unwatch(Descriptor fd) noexcept {
  std::lock_guard lock(mutex_);
  return std::erase_if(watched_, [fd](const Watched& watched) { return watched.fd == fd; }) ? 0 : ENOENT;
}

size_t PollPoller::wait(std::span<Ready> ready, std::chrono::nanoseconds timeout) noexcept {
  std::vector<Watched> watched;
  std::vector<pollfd> asked;
  {
    std::lock_guard lock(mutex_);
    watched = watched_;
  }
  asked.reserve(watched.size());
  for (const Watched& one : watched) {
    short events = 0;
    if (static_cast<int>(one.interest) & static_cast<int>(Interest::readable)) events |= POLLIN;
    if (static_cast<int>(one.interest) & static_cast<int>(Interest::writable)) events |= POLLOUT;
    asked.push_back({one.fd, events, 0});
  }
  // After a signal this is over, as in poller_epoll.cpp, and nothing is marked as ready.
  poll(asked.data(), static_cast<nfds_t>(asked.size()), to_milliseconds(timeout));

  size_t found = 0;
  for (size_t i = 0; i < asked.size() && found < ready.size(); ++i) {
    const short what = asked[i].revents;
    if (!what) continue;
    const bool broken = what & (POLLERR | POLLHUP | POLLNVAL);
    ready[found++] = {watched[i].tag, broken || (what & POLLIN), broken || (what & POLLOUT)};
  }
  return found;
}

}  // namespace offloop

#endif
