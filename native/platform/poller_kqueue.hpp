// The poller of macOS and FreeBSD.
#pragma once

#include <memory>
#include <mutex>
#include <span>

#include "platform/watches_posix.hpp"

namespace offloop {

/// The system knows each direction of a descriptor as a filter of its own, so this joins what they tell.
class KqueuePoller {
 public:
  static constexpr const char* kName = "kqueue";
  static constexpr std::chrono::nanoseconds kForever = std::chrono::nanoseconds::max();

  static std::unique_ptr<KqueuePoller> open(int& error);
  ~KqueuePoller();
  KqueuePoller(const KqueuePoller&) = delete;

  int watch(Descriptor fd, Interest interest, void* tag, Trigger trigger = Trigger::level) noexcept;
  int rewatch(Descriptor fd, Interest interest, void* tag, Trigger trigger) noexcept;
  int unwatch(Descriptor fd) noexcept;
  size_t wait(std::span<Ready> ready, std::chrono::nanoseconds timeout) noexcept;

  /// For the wake handle.
  int queue() const noexcept { return queue_; }

 private:
  KqueuePoller() = default;

  /// Runs with the lock held, as remove() does. Adds all or nothing.
  int add(Descriptor fd, Watch& watch) noexcept;
  /// False: the descriptor has been closed since.
  bool remove(Descriptor fd, const Watch& watch) noexcept;

  int queue_ = -1;
  std::mutex mutex_;
  Watches watches_;
};

}  // namespace offloop
