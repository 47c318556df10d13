#if defined(__linux__)

#include "platform/poller_epoll.hpp"

#include <sys/epoll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>

namespace offloop {
namespace {

/// What an event brings back: whose it is, and what it was asked for.
uint64_t name_of(Descriptor fd, uint32_t serial) noexcept { return uint64_t{serial} << 32 | static_cast<uint32_t>(fd); }

uint32_t events_of(const Watch& watch) noexcept {
  uint32_t events = 0;
  if (includes(watch.interest, Interest::readable)) events |= EPOLLIN;
  if (includes(watch.interest, Interest::writable)) events |= EPOLLOUT;
  if (watch.trigger == Trigger::edge) events |= EPOLLET;
  if (watch.trigger == Trigger::once) events |= EPOLLONESHOT;
  return events;
}

/// epoll_wait, to the nanosecond where the kernel can.
int wait_for_events(int epoll, std::span<epoll_event> events, std::chrono::nanoseconds timeout) noexcept {
  const int most = static_cast<int>(events.size());
#if defined(SYS_epoll_pwait2)
  static std::atomic<bool> can{true};
  const bool is_whole = timeout.count() <= 0 || timeout == EpollPoller::kForever;
  // relaxed: nothing depends on it but whether to ask once more
  if (!is_whole && can.load(std::memory_order_relaxed)) {
    const struct {
      int64_t seconds, nanoseconds;
    } time = {timeout.count() / 1'000'000'000, timeout.count() % 1'000'000'000};
    // By number: glibc has had the function since 2.35 only.
    const long count = syscall(SYS_epoll_pwait2, epoll, events.data(), most, &time, nullptr, size_t{0});
    const bool is_refused = count < 0 && (errno == ENOSYS || errno == EPERM);  // an old kernel, a sandbox
    if (!is_refused) return static_cast<int>(count);
    can.store(false, std::memory_order_relaxed);
  }
#endif
  return epoll_wait(epoll, events.data(), most, to_milliseconds(timeout));
}

}  // namespace

std::unique_ptr<EpollPoller> EpollPoller::open(int& error) {
  std::unique_ptr<EpollPoller> poller(new EpollPoller);  // first: without memory, a descriptor would be lost
  poller->epoll_ = epoll_create1(EPOLL_CLOEXEC);
  if (poller->epoll_ >= 0) return poller;
  error = errno;
  return nullptr;
}

EpollPoller::~EpollPoller() {
  if (epoll_ >= 0) close(epoll_);
}

int EpollPoller::watch(Descriptor fd, Interest interest, void* tag, Trigger trigger) noexcept {
  std::lock_guard lock(mutex_);
  if (watches_.find(fd)) return EEXIST;
  const Watch watch = watches_.make(tag, interest, trigger);
  if (int error = control(EPOLL_CTL_ADD, fd, watch)) return error;
  // A wait that has already found it is not told whose it is before the lock is released.
  const int error = watches_.put(fd, watch);
  if (error) epoll_ctl(epoll_, EPOLL_CTL_DEL, fd, nullptr);
  return error;
}

int EpollPoller::rewatch(Descriptor fd, Interest interest, void* tag, Trigger trigger) noexcept {
  std::lock_guard lock(mutex_);
  if (!watches_.find(fd)) return ENOENT;
  const Watch watch = watches_.make(tag, interest, trigger);
  const int error = control(EPOLL_CTL_MOD, fd, watch);
  return error ? error : watches_.put(fd, watch);
}

int EpollPoller::control(int operation, Descriptor fd, const Watch& watch) noexcept {
  epoll_event event{};
  event.events = events_of(watch);
  event.data.u64 = name_of(fd, watch.serial);
  return epoll_ctl(epoll_, operation, fd, &event) == 0 ? 0 : errno;
}

int EpollPoller::unwatch(Descriptor fd) noexcept {
  std::lock_guard lock(mutex_);
  if (!watches_.remove(fd)) return ENOENT;
  epoll_ctl(epoll_, EPOLL_CTL_DEL, fd, nullptr);  // fails if it has been closed, and then there is nothing left to do
  return 0;
}

size_t EpollPoller::wait(std::span<Ready> ready, std::chrono::nanoseconds timeout) noexcept {
  std::array<epoll_event, 64> events;
  const auto room = std::span(events).first(std::min(ready.size(), events.size()));
  // Not repeated after a signal: the whole time would be waited anew, and signals that keep coming would make it endless.
  const int count = wait_for_events(epoll_, room, timeout);

  size_t told = 0;
  std::lock_guard lock(mutex_);
  for (int i = 0; i < count; ++i) {
    const uint64_t name = events[i].data.u64;
    const Watch* watch = watches_.find(static_cast<Descriptor>(name & UINT32_MAX), static_cast<uint32_t>(name >> 32));
    if (!watch) continue;
    const uint32_t what = events[i].events;
    const bool hung_up = what & (EPOLLERR | EPOLLHUP);
    ready[told++] = {.tag = watch->tag,
                     .readable = (what & EPOLLIN) || (hung_up && includes(watch->interest, Interest::readable)),
                     .writable = (what & EPOLLOUT) || (hung_up && includes(watch->interest, Interest::writable)),
                     .hung_up = hung_up};
  }
  return told;
}

}  // namespace offloop

#endif
