// One thread of a pool.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>

#include "base/linger.hpp"
#include "core/task.hpp"

namespace offloop {

class Pool;

/// Takes tasks, runs them, posts them home. Lifetime: owned by its pool, which its thread keeps alive.
class Worker {
 public:
  static constexpr uint32_t kHand = 64;

  Worker(const Worker&) = delete;
  Worker() = default;

  /// The thread's whole life.
  void live(std::shared_ptr<Pool> pool) noexcept;

  /// Sleeps until `unpark()`, which may have come first. Thread: the worker's own.
  void park() noexcept;
  /// Thread: any.
  void unpark() noexcept;

 private:
  friend class Pool;

  /// Runs what is in the hand and posts it home, one push for each stretch of tasks with the same home.
  /// Counts them as finished first, so that a task that is home takes up no room.
  void work(std::atomic<uint32_t>& finished) noexcept;

  Task* hand_[kHand];
  uint32_t held_ = 0;      // tasks in the hand, until the pool counts them as done
  int64_t worked_ns_ = 0;  // the last hand's run time, if it was worth measuring
  Linger linger_;
  std::atomic<uint32_t> wanted_{0};
};

}  // namespace offloop
