// Whatever runs tasks: a pool of our own threads, or the host's.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <span>

#include "base/histogram.hpp"
#include "core/lanes.hpp"
#include "core/task.hpp"

namespace offloop {

/// How the tasks of one environment ended in one pool, by status. Thread: counted by the environment's, read by any.
struct Tally {
  using Sums = std::array<uint64_t, OFFLOOP_STATUS_COUNT>;

  std::array<std::atomic<uint64_t>, OFFLOOP_STATUS_COUNT> ended{};

  /// Not a locked addition: there is one writer. relaxed: a count carries no other data.
  void add(uint8_t status, uint64_t times = 1) noexcept {
    ended[status].store(ended[status].load(std::memory_order_relaxed) + times, std::memory_order_relaxed);
  }
  void add_to(Sums& sums) const noexcept {
    for (size_t i = 0; i < sums.size(); ++i) sums[i] += ended[i].load(std::memory_order_relaxed);
  }
};

/// Durations of tasks, in nanoseconds. A task that yields counts once for each of its turns.
struct Times {
  Histogram queued;
  Histogram run;
  Histogram cpu;

  struct Total {
    Histogram::Total queued;
    Histogram::Total run;
    Histogram::Total cpu;
    void add(const Times& times) noexcept {
      queued.add(times.queued);
      run.add(times.run);
      cpu.add(times.cpu);
    }
  };
};

/// Thread: any, unless a function says otherwise.
class Executor {
 public:
  struct Accepted {
    size_t count;   // this many from the front
    Status reason;  // why not the rest
  };
  struct Counts {
    size_t queued = 0;   // accepted, within the capacity
    size_t waiting = 0;  // beyond it
    uint32_t running = 0;
    uint32_t threads = 0;  // most, started, and of those asleep
    uint32_t started = 0;
    uint32_t parked = 0;
    std::array<size_t, Lanes::kLanes> depth{};
  };

  virtual ~Executor() = default;

  /// Takes what fits, in order; the rest stays with the caller.
  virtual Accepted submit(std::span<Task* const> tasks) noexcept = 0;
  /// Takes a waiting task out and sends it home as cancelled. A task that is no longer waiting sees its stop flag instead.
  /// The caller knows that the task is in flight: that is, it is the task's environment.
  virtual void cancel(Task& task) noexcept = 0;
  /// Sends every waiting task home as cancelled, whoever's it is.
  virtual void cancel_waiting() noexcept = 0;
  /// Accepts no more. When what was accepted is done and the last thread ends, posts `farewell`, if there is one.
  virtual void close(Task* farewell) noexcept = 0;
  virtual void resize(uint32_t threads) noexcept = 0;
  virtual Counts counts() noexcept = 0;
  virtual void add_times(Times::Total& total) noexcept = 0;
  /// How long the loop may spin for what this is about to finish. Units: nanoseconds.
  virtual int64_t linger_ns() const noexcept = 0;
};

}  // namespace offloop
