#if !defined(_WIN32)

#include "platform/poller_poll.hpp"

#include <poll.h>

#include <algorithm>
#include <cerrno>

#include "base/cpu.hpp"

namespace offloop {
namespace {

short events_of(const Watch& watch) noexcept {
  short events = 0;
  if (includes(watch.interest, Interest::readable)) events |= POLLIN;
  if (includes(watch.interest, Interest::writable)) events |= POLLOUT;
  return events;
}

/// poll, to the nanosecond where the system can.
int ask(std::span<pollfd> asked, std::chrono::nanoseconds timeout) noexcept {
  const auto count = static_cast<nfds_t>(asked.size());
#if defined(__APPLE__)
  return poll(asked.data(), count, to_milliseconds(timeout));
#else
  const auto ns = std::max<int64_t>(timeout.count(), 0);
  const timespec time = {static_cast<time_t>(ns / 1'000'000'000), static_cast<long>(ns % 1'000'000'000)};
  return ppoll(asked.data(), count, timeout == PollPoller::kForever ? nullptr : &time, nullptr);
#endif
}

}  // namespace

std::unique_ptr<PollPoller> PollPoller::open(int& error) {
  auto changes = Pipe::open(error);
  return changes ? std::unique_ptr<PollPoller>(new PollPoller(std::move(changes))) : nullptr;
}

int PollPoller::watch(Descriptor fd, Interest interest, void* tag, Trigger trigger) noexcept {
  if (trigger == Trigger::edge) return ENOTSUP;
  if (int error = watchable(fd)) return error;
  std::lock_guard lock(mutex_);
  if (watches_.find(fd)) return EEXIST;
  if (int error = watches_.put(fd, watches_.make(tag, interest, trigger))) return error;
  change();
  return 0;
}

int PollPoller::rewatch(Descriptor fd, Interest interest, void* tag, Trigger trigger) noexcept {
  if (trigger == Trigger::edge) return ENOTSUP;
  if (int error = watchable(fd)) return error;
  std::lock_guard lock(mutex_);
  if (!watches_.find(fd)) return ENOENT;
  watches_.put(fd, watches_.make(tag, interest, trigger));
  change();
  return 0;
}

int PollPoller::unwatch(Descriptor fd) noexcept {
  std::lock_guard lock(mutex_);
  if (!watches_.remove(fd)) return ENOENT;
  change();
  return 0;
}

void PollPoller::change() noexcept {
  changed_ = true;
  if (waiting_) changes_->fill();
  waiting_ = false;
}

void PollPoller::prepare() noexcept {
  if (!changed_) return;
  try {
    asked_.reserve(watches_.end() + 1);
    serials_.reserve(watches_.end() + 1);
    // From here on nothing fails.
    asked_.assign(1, {changes_->reading_end(), POLLIN, 0});
    serials_.assign(1, 0);
    for (size_t at = 0; at < watches_.end(); ++at) {
      const auto fd = static_cast<Descriptor>(at);
      const Watch* watch = watches_.find(fd);
      if (!watch || watch->silent) continue;
      asked_.push_back({fd, events_of(*watch), 0});
      serials_.push_back(watch->serial);
    }
    changed_ = false;
  } catch (...) {
    changed_ = true;  // it asks what it asked before, and tries again next time
  }
}

size_t PollPoller::wait(std::span<Ready> ready, std::chrono::nanoseconds timeout) noexcept {
  const int64_t began = steady_ns();
  auto left = timeout;
  for (;;) {
    {
      std::lock_guard lock(mutex_);
      prepare();
      waiting_ = true;
    }
    const int answers = ask(asked_, left);
    std::lock_guard lock(mutex_);
    waiting_ = false;
    // Time is up, or a signal came. Not repeated after one, for the reasons given in poller_epoll.cpp.
    if (answers <= 0) return 0;
    if (asked_[0].revents) changes_->empty();
    if (const size_t told = tell(ready)) return told;
    // There were only changes, or answers to what has changed since.
    if (timeout != kForever) left = timeout - std::chrono::nanoseconds(steady_ns() - began);
    if (left.count() <= 0) return 0;
  }
}

size_t PollPoller::tell(std::span<Ready> ready) noexcept {
  const size_t most = std::min<size_t>(ready.size(), 64);
  size_t told = 0;
  for (size_t seen = 1; seen < asked_.size() && told < most; ++seen) {
    // From where the last wait ended, so that all have their turn when more are ready than fit.
    if (++last_told_ >= asked_.size()) last_told_ = 1;
    pollfd& answer = asked_[last_told_];
    if (!answer.revents) continue;
    Watch* const watch = watches_.find(answer.fd, serials_[last_told_]);
    if (!watch) continue;
    const short what = answer.revents;
    const bool is_closed = what & POLLNVAL;
    if (is_closed || watch->trigger == Trigger::once) {
      watch->silent = true;
      answer.fd = -1;  // ignored from now on
    }
    if (is_closed) continue;
    const bool hung_up = what & (POLLERR | POLLHUP);
    ready[told++] = {.tag = watch->tag,
                     .readable = (what & POLLIN) || (hung_up && includes(watch->interest, Interest::readable)),
                     .writable = (what & POLLOUT) || (hung_up && includes(watch->interest, Interest::writable)),
                     .hung_up = hung_up};
  }
  return told;
}

}  // namespace offloop

#endif
