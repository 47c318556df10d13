// The poller of every POSIX system: the fallback.
#pragma once

#include <poll.h>

#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include "platform/wake_pipe.hpp"
#include "platform/watches_posix.hpp"

namespace offloop {

/// The system remembers nothing for it: every wait hands over all that is watched. Knows no edges.
class PollPoller {
 public:
  static constexpr const char* kName = "poll";
  static constexpr std::chrono::nanoseconds kForever = std::chrono::nanoseconds::max();

  static std::unique_ptr<PollPoller> open(int& error);
  PollPoller(const PollPoller&) = delete;

  int watch(Descriptor fd, Interest interest, void* tag, Trigger trigger = Trigger::level) noexcept;
  int rewatch(Descriptor fd, Interest interest, void* tag, Trigger trigger) noexcept;
  int unwatch(Descriptor fd) noexcept;
  size_t wait(std::span<Ready> ready, std::chrono::nanoseconds timeout) noexcept;

 private:
  explicit PollPoller(std::unique_ptr<Pipe> changes)
      : changes_(std::move(changes)), asked_(1, {changes_->reading_end(), POLLIN, 0}), serials_(1) {}

  /// Has a wait that is under way ask anew. Runs with the lock held, as the following do.
  void change() noexcept;
  /// Writes down what to ask, unless it stands there already.
  void prepare() noexcept;
  size_t tell(std::span<Ready> ready) noexcept;

  std::mutex mutex_;
  Watches watches_;
  bool changed_ = true;
  bool waiting_ = false;  // and has not been told of a change
  const std::unique_ptr<Pipe> changes_;

  // What a wait asks, and the serials of those for whom; the first is `changes_`. The waiting thread's own.
  std::vector<pollfd> asked_;
  std::vector<uint32_t> serials_;
  size_t last_told_ = 0;
};

}  // namespace offloop
