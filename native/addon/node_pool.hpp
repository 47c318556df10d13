// Tasks on threads of the host's: its asynchronous work, as Node-API offers it.
#pragma once

#include <napi.h>

#include <array>
#include <cstdint>
#include <list>
#include <memory>
#include <mutex>

#include "addon/loop_timers.hpp"
#include "core/executor.hpp"
#include "core/pool.hpp"
#include "core/task.hpp"

namespace offloop {

/// A share in the host's one pool. It starts no thread, the reactor's neither: what happens at a time happens on the loop.
/// The host runs work first in, first out, and stops none of it; so priorities change nothing, and a limit raises the
/// task's stop flag.
///
/// Each task has its work: it waits, runs, perhaps sleeps, and goes home; or it is taken out of work that the host has not
/// begun, which then finds nothing to do. The one who takes the task under the lock decides. It goes home from the loop's
/// thread, or, when the environment has ended, from the one that ran it.
///
/// Thread: the loop's, but for what work does. The lock is never held while a task runs, a doorbell rings or the host is
/// called. Lifetime: the environment's, and that of work which the host still has.
class NodePool final : public Executor, public std::enable_shared_from_this<NodePool> {
 public:
  struct Options {
    size_t capacity;  // tasks accepted and not begun
    Overflow overflow;
  };

  NodePool(napi_env env, LoopTimers& timers, Options options);
  NodePool(const NodePool&) = delete;

  Accepted submit(std::span<Task* const> tasks) noexcept override;
  void cancel(Task& task) noexcept override;
  void cancel_waiting() noexcept override;
  /// Without a farewell, the environment ends: see `end`.
  void close(Task* farewell) noexcept override;
  /// The host's threads are as many as they are.
  void resize(uint32_t) noexcept override {}
  Counts counts() noexcept override;
  void add_times(Times::Total& total) noexcept override { total.add(times_); }
  int64_t linger_ns() const noexcept override { return 0; }

  /// The environment ends, and the host may not give any work back: what does not run comes home as cancelled, what runs is
  /// told to stop and comes home by itself. No timer of this may be armed any more.
  void end() noexcept;

 private:
  struct Work;
  using Works = std::list<Work>;
  struct Work {
    std::shared_ptr<NodePool> pool;
    Task* task;  // nullptr: it has been taken
    Works* in;
    Works::iterator place{};
    napi_async_work handle = nullptr;
    int64_t began_ns = 0;
    Task::Ended ended = Task::Ended::settled;
    bool limited = false;  // in its run time or processor time
  };

  // --- on a thread of the host's ---
  static void execute(napi_env, void* work) noexcept;
  /// False: there is nothing to run.
  bool begin(Work& work) noexcept;
  /// `cpu_ns` is not of a controlled task, whose extras know.
  void end(Work& work, Task::Ended ended, int64_t cpu_ns) noexcept;

  // --- on the loop's ---
  static void complete(napi_env env, napi_status, void* work) noexcept;
  /// OFFLOOP_OK, or why not.
  Status enqueue(Task& task, napi_value name) noexcept;
  /// Whether there is room for one more, made if need be.
  bool make_room() noexcept;
  /// Takes a waiting task out and sends it home, ended so. False: it has begun.
  bool take_out(Task& task, Status status) noexcept;
  /// The host has done, or given back, the work.
  void retire(Work& work) noexcept;
  void sleep(Work& work) noexcept;
  /// Sends a task home that the host has done with.
  void settle(Work& work) noexcept;
  /// Its timers are no longer needed.
  void forget(Work& work, Task& task) noexcept;
  /// Stops what has reached a limit, and plans the next look.
  void look() noexcept;
  void say_farewell() noexcept;

  static void wake_up(Timer& timer) noexcept;
  static void expire_late(Timer& timer) noexcept;

  // --- with the lock held ---
  static void move(Work& work, Works& to) noexcept;
  void leave_queue(Task& task) noexcept;
  Task* release(Work& work) noexcept;

  const napi_env env_;
  LoopTimers& timers_;  // until the environment ends
  const Options options_;
  uint32_t limited_ = 0;                    // tasks that have not been forgotten
  int64_t least_limit_ns_ = Timer::kNever;  // no limit of those is shorter
  bool closed_ = false;

  std::mutex mutex_;  // guards what follows
  Works waiting_;
  Works running_;
  Works asleep_;  // the host no longer has it
  Works spent_;   // done or taken out, until the host gives it back
  std::array<size_t, Lanes::kLanes> depth_{};
  size_t out_ = 0;  // tasks that have not gone home
  bool ended_ = false;
  Task* farewell_ = nullptr;
  Times times_;  // written with the lock held

  struct Look : Timer {
    explicit Look(NodePool& pool) noexcept : pool(pool) {}
    NodePool& pool;
  } look_{*this};
};

}  // namespace offloop
