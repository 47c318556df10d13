#if defined(__APPLE__) || defined(__FreeBSD__)

#include "platform/poller_kqueue.hpp"

#include <fcntl.h>
#include <sys/event.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/types.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

namespace offloop {
namespace {

using Filter = decltype(kevent::filter);
using Flags = decltype(kevent::flags);

struct Direction {
  Interest interest;
  Filter filter;
};
constexpr Direction kDirections[] = {{Interest::readable, EVFILT_READ}, {Interest::writable, EVFILT_WRITE}};

Flags flags_of(Trigger trigger) noexcept {
  switch (trigger) {
    case Trigger::edge:
      return EV_ADD | EV_CLEAR;
    case Trigger::once:
      return EV_ADD | EV_DISPATCH;  // silent when told, but there: what is gone was closed
    default:
      return EV_ADD;
  }
}

/// Serials travel through the system in the place of pointers.
void* packed(uint32_t serial) noexcept { return reinterpret_cast<void*>(uintptr_t{serial}); }
uint32_t unpacked(void* serial) noexcept { return static_cast<uint32_t>(reinterpret_cast<uintptr_t>(serial)); }

int change(int queue, Descriptor fd, Filter filter, Flags flags, uint32_t serial) noexcept {
  struct kevent change;
  EV_SET(&change, static_cast<uintptr_t>(fd), filter, flags, 0, 0, packed(serial));
  // Changes have been made when a signal interrupts the call.
  return kevent(queue, &change, 1, nullptr, 0, nullptr) == 0 || errno == EINTR ? 0 : errno;
}

/// What has no filters, or not all, is ready at any time, as files are: /dev/null and other devices, but for terminals.
bool is_always_ready(Descriptor fd) noexcept {
  struct stat is;
  return fstat(fd, &is) == 0 && S_ISCHR(is.st_mode) && !isatty(fd);
}

timespec time_of(std::chrono::nanoseconds timeout) noexcept {
  constexpr int64_t kLongestSeconds = 100'000'000;  // what some systems take: three years
  const auto ns = std::max<int64_t>(timeout.count(), 0);
  return {static_cast<time_t>(std::min(ns / 1'000'000'000, kLongestSeconds)), static_cast<long>(ns % 1'000'000'000)};
}

}  // namespace

std::unique_ptr<KqueuePoller> KqueuePoller::open(int& error) {
  std::unique_ptr<KqueuePoller> poller(new KqueuePoller);  // first: without memory, a descriptor would be lost
  poller->queue_ = kqueue();
  if (poller->queue_ < 0) {
    error = errno;
    return nullptr;
  }
  fcntl(poller->queue_, F_SETFD, FD_CLOEXEC);
  return poller;
}

KqueuePoller::~KqueuePoller() {
  if (queue_ >= 0) close(queue_);
}

int KqueuePoller::watch(Descriptor fd, Interest interest, void* tag, Trigger trigger) noexcept {
  if (int error = watchable(fd)) return error;
  std::lock_guard lock(mutex_);
  if (watches_.find(fd)) return EEXIST;
  if (int error = watches_.put(fd, watches_.make(tag, interest, trigger))) return error;
  const int error = add(fd, *watches_.find(fd));
  if (error) watches_.remove(fd);
  const bool is_refused = error == EINVAL || error == ENODEV;
  return is_refused && is_always_ready(fd) ? EPERM : error;
}

int KqueuePoller::rewatch(Descriptor fd, Interest interest, void* tag, Trigger trigger) noexcept {
  std::lock_guard lock(mutex_);
  Watch* const watch = watches_.find(fd);
  if (!watch) return ENOENT;
  // Made anew, because the flags of one that exists stay as they are.
  if (!remove(fd, *watch)) return EBADF;
  *watch = watches_.make(tag, interest, trigger);
  return add(fd, *watch);
}

int KqueuePoller::unwatch(Descriptor fd) noexcept {
  std::lock_guard lock(mutex_);
  const Watch* const watch = watches_.find(fd);
  if (!watch) return ENOENT;
  remove(fd, *watch);
  watches_.remove(fd);
  return 0;
}

int KqueuePoller::add(Descriptor fd, Watch& watch) noexcept {
  for (const Direction& direction : kDirections) {
    if (!includes(watch.interest, direction.interest)) continue;
    int error = change(queue_, fd, direction.filter, flags_of(watch.trigger), watch.serial);
    if (error == EPIPE) {
      // A pipe that nobody reads any more is refused, not told of. A timer of its number tells instead.
      watch.is_broken = true;
      error = change(queue_, fd, EVFILT_TIMER, EV_ADD | EV_ONESHOT, watch.serial);
    }
    if (error) {
      remove(fd, watch);
      return error;
    }
  }
  return 0;
}

bool KqueuePoller::remove(Descriptor fd, const Watch& watch) noexcept {
  bool was_there = true;
  for (const Direction& direction : kDirections) {
    if (!includes(watch.interest, direction.interest)) continue;
    // Filters go with the descriptor they were made for, whatever has its number now.
    if (change(queue_, fd, direction.filter, EV_DELETE, 0) != 0) was_there = false;
  }
  return was_there || watch.is_broken;
}

size_t KqueuePoller::wait(std::span<Ready> ready, std::chrono::nanoseconds timeout) noexcept {
  constexpr Descriptor kWake = -1;
  std::array<struct kevent, 64> events;
  std::array<Descriptor, 64> whose;  // of what is told
  const int most = static_cast<int>(std::min(ready.size(), events.size()));
  const timespec time = time_of(timeout);
  // Not repeated after a signal, for the reasons given in poller_epoll.cpp.
  const int count = kevent(queue_, nullptr, 0, events.data(), most, timeout == kForever ? nullptr : &time);

  size_t told = 0;
  std::lock_guard lock(mutex_);
  for (int i = 0; i < count; ++i) {
    const struct kevent& event = events[static_cast<size_t>(i)];
    if (event.filter == EVFILT_USER) {
      whose[told] = kWake;
      ready[told++] = {.tag = event.udata, .readable = true, .writable = false, .hung_up = false};
      continue;
    }
    const auto fd = static_cast<Descriptor>(event.ident);
    const Watch* const watch = watches_.find(fd, unpacked(event.udata));
    if (!watch) continue;
    size_t place = told;
    if (watch->interest == Interest::both) {
      place = static_cast<size_t>(std::find(whose.begin(), whose.begin() + told, fd) - whose.begin());
    }
    if (place == told) {
      whose[told] = fd;
      ready[told++] = {.tag = watch->tag, .readable = false, .writable = false, .hung_up = false};
    }
    (event.filter == EVFILT_READ ? ready[place].readable : ready[place].writable) = true;
    ready[place].hung_up |= (event.flags & EV_EOF) != 0 || event.filter == EVFILT_TIMER;
  }
  for (size_t i = 0; i < told; ++i) {
    const Watch* const watch = whose[i] == kWake ? nullptr : watches_.find(whose[i]);
    // One direction has been told, and that is to be all.
    if (!watch || watch->trigger != Trigger::once || watch->interest != Interest::both) continue;
    for (const Direction& direction : kDirections)
      change(queue_, whose[i], direction.filter, EV_DISABLE, watch->serial);
  }
  return told;
}

}  // namespace offloop

#endif
