// The thread that waits, so that no worker has to.
#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>

#include "core/timer.hpp"
#include "core/watchers.hpp"

namespace offloop {

/// Lets timers expire, and tells watchers what has become of their descriptors: up to 64 of them, and what is due, come out
/// of one wait. One thread for the process, started by the first timer or watcher.
/// Thread: any, also its own; never with a lock held that an `expire` or a `tell` takes. Lifetime: never destroyed.
class Reactor {
 public:
  using Expire = void(Timer&) noexcept;

  static Reactor& shared() noexcept;

  /// Has `expire(timer)` called once at `due_ns`, on the reactor's thread and without its lock; it may arm the timer again.
  /// Of an armed timer only an earlier due time counts. Returns 0, or why the reactor cannot run: an errno.
  int arm(Timer& timer, int64_t due_ns, Expire* expire) noexcept { return arm_unless(timer, due_ns, expire, nullptr); }
  /// The same, but ECANCELED if the flag is set. Whoever sets it and then disarms the timer can rely on one of the two.
  int arm_unless(Timer& timer, int64_t due_ns, Expire* expire, const std::atomic<bool>* stop) noexcept;
  /// True: the timer was armed, and will not expire. After it returns `expire` is not running either.
  bool disarm(Timer& timer) noexcept;
  /// The same, but only if it is armed for this `expire`; does not wait.
  bool disarm_if(Timer& timer, Expire* expire) noexcept;

  /// Has `tell(watcher, readiness)` called on the reactor's thread when the descriptor is ready; see Watchers, also for the
  /// other two. Returns 0, or an errno.
  int watch(Watcher& watcher, Descriptor fd, Interest interest, Trigger trigger, Watcher::Tell* tell) noexcept;
  int rewatch(Watcher& watcher, Interest interest) noexcept { return watchers_->arm(watcher, interest); }
  /// Of one that has been watched.
  void unwatch(Watcher& watcher) noexcept { watchers_->remove(watcher); }

  /// How often the thread has been woken, by whatever there was.
  uint64_t wake_ups() const noexcept { return wake_ups_.load(std::memory_order_relaxed); }

 private:
  Reactor() = default;

  /// Opens the poller and starts the thread, unless they are there. Runs with the lock held. Returns 0 or an errno.
  int start() noexcept;
  [[noreturn]] void live() noexcept;
  /// Returns how long there is nothing to do.
  std::chrono::nanoseconds expire_due() noexcept;

  std::mutex mutex_;
  DeadlineHeap<Timer> armed_;
  /// When the thread looks next, so that it need not be rung for what comes later: most timers are disarmed before.
  int64_t wakes_ns_ = Timer::kNever;
  std::atomic<const void*> expiring_{nullptr};  // a timer that its owner may have let go of
  std::atomic<uint64_t> wake_ups_{0};           // relaxed: a number, and nothing else
  std::unique_ptr<Poller> poller_;
  std::unique_ptr<WakeHandle> wake_;
  std::unique_ptr<Watchers> watchers_;
};

}  // namespace offloop
