// Timers that expire on an environment's loop: for what must not start a thread.
#pragma once

#include "addon/doorbell.hpp"
#include "base/deadline_heap.hpp"
#include "core/timer.hpp"

namespace offloop {

/// Any number of timers on the one of a doorbell. Thread: the loop's.
class LoopTimers {
 public:
  using Expire = void(Timer&) noexcept;

  explicit LoopTimers(Doorbell& doorbell) noexcept : doorbell_(doorbell) {}
  LoopTimers(const LoopTimers&) = delete;

  /// Has `expire(timer)` called once at `due_ns` or soon after; it may arm the timer again. Of an armed timer only an
  /// earlier due time counts. False: no memory.
  bool arm(Timer& timer, int64_t due_ns, Expire* expire) noexcept;
  /// True: the timer was armed, and will not expire.
  bool disarm(Timer& timer) noexcept;
  /// Disarms all.
  void clear() noexcept;
  /// The doorbell's timer has gone off.
  void expire_due() noexcept;

 private:
  /// Sets the doorbell's timer for the earliest, unless it goes off before that.
  void plan() noexcept;

  Doorbell& doorbell_;
  DeadlineHeap<Timer> armed_;
  int64_t goes_off_ns_ = Timer::kNever;
};

}  // namespace offloop
