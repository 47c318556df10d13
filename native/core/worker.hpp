// One thread of a pool.
#pragma once

#include <cstdint>
#include <memory>

#include "base/linger.hpp"
#include "core/executor.hpp"
#include "core/parker.hpp"
#include "core/task.hpp"

namespace offloop {

class Pool;

/// Takes tasks, runs them, posts them home. Lifetime: owned by its pool, which its thread keeps alive.
class Worker : public Parker {
 public:
  static constexpr uint32_t kHand = 64;

  Worker(const Worker&) = delete;
  Worker() = default;

  /// The thread's whole life.
  void live(std::shared_ptr<Pool> pool) noexcept;

 private:
  friend class Pool;

  /// Runs what is in the hand and posts it home, one push for each stretch of tasks with the same home.
  /// Counts them as finished first, so that a task that is home takes up no room.
  void work(Pool& pool) noexcept;
  /// One task of the hand, timed by itself: it has limits or listeners.
  Task::Ended run_controlled(Task& task) noexcept;

  Task* hand_[kHand];
  uint32_t held_ = 0;     // tasks in the hand, until the pool counts them as done
  int64_t took_ns_ = 0;   // when the hand was filled
  int64_t brief_ns_ = 0;  // what a task of the last hand took, if it was brief; else 0
  bool measures_cpu_ = true;
  bool alive_ = false;  // has a thread; guarded by the pool's lock
  Linger linger_;
  Times times_;
};

}  // namespace offloop
