// A pool: threads of its own, lanes of its own, one lock.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/cpu.hpp"
#include "core/executor.hpp"
#include "core/lanes.hpp"
#include "core/overflow.hpp"
#include "core/worker.hpp"

namespace offloop {

/// core/pool.cpp has the way of the tasks, core/pool_threads.cpp that of the threads.
/// The lock is never held while a task runs, a doorbell rings, a thread is woken or started, or another lock is taken.
/// Lifetime: counted by the environments that use it and by each of its threads.
class Pool final : public Executor, public std::enable_shared_from_this<Pool> {
 public:
  struct Options {
    std::string name;   // its threads are name/0, name/1, …
    uint32_t threads;   // at most, to begin with; started when needed
    uint32_t capacity;  // tasks accepted and not begun, beyond those that free threads are about to take
    Overflow overflow;
    int64_t aging_ns;         // see Lanes
    int64_t linger_ns;        // how long a thread that ran dry spins before it parks
    size_t stack_bytes;       // of each thread
    bool exact_name = false;  // its threads have its own name, without a number
  };

  explicit Pool(Options options);
  ~Pool() override;
  Pool(const Pool&) = delete;

  Accepted submit(std::span<Task* const> tasks) noexcept override;
  void cancel(Task& task) noexcept override;
  void cancel_waiting() noexcept override;
  void close(Task* farewell) noexcept override;
  /// Threads beyond the new number end when they have done what they hold.
  void resize(uint32_t threads) noexcept override;
  Counts counts() noexcept override;
  void add_times(Times::Total& total) noexcept override;
  int64_t linger_ns() const noexcept override { return options_.linger_ns; }
  const Options& options() const noexcept { return options_; }

 private:
  friend class Worker;

  /// Fills the worker's hand. Lingers, then parks, while there is nothing. False: end the thread.
  bool take(Worker& worker) noexcept;
  void fill_hand(Worker& worker) noexcept;
  /// The thread of a worker for which `take` returned false has nothing more to do here.
  void leave() noexcept;
  /// Posts the farewell, if the last thread has ended.
  void say_farewell() noexcept;
  /// Back into its lane, behind those that wait there; home, if it was told to stop. Thread: the worker that had it.
  void requeue(Task& task) noexcept;

  /// How many tasks it may hold before the capacity is used up. Runs with the lock held.
  size_t room() const noexcept;
  /// Gives up the least urgent of those that wait for `task`, or the task itself: then false. Runs with the lock held.
  bool drop_for(Task* task, Task*& chain) noexcept;
  /// Everything that waits, as a chain. Runs with the lock held.
  Task* take_all() noexcept;
  /// Sends a chain home, ended so. Runs without the lock.
  static void post_all(Task* chain, Status status) noexcept;
  /// Ends a task that waited, and will not run. Thread: whoever took it out.
  static void send_home(Task& task, Status status) noexcept;

  /// Takes those out whose deadline has passed. Runs with the lock held.
  void take_late(int64_t now_ns, Task*& chain) noexcept;
  /// When to look for late ones, if that is earlier than planned; else kNever. Runs with the lock held.
  int64_t next_look() noexcept;
  /// Plans it. Runs without the lock.
  void look_at(int64_t due_ns) noexcept;
  /// Sends the late ones home, and plans the next look.
  void expire_late() noexcept;

  /// Tasks that have begun and not ended. Runs with the lock held. relaxed: whoever was brought a task by its mailbox sees
  /// that it was counted before.
  uint32_t in_hands() const noexcept { return running_ - finished_.load(std::memory_order_relaxed); }
  bool worth_another_thread() const noexcept;
  /// Someone to wake, or a place for a new thread, after work came or was left over. Runs with the lock held.
  struct Help {
    Worker* parked = nullptr;
    bool start = false;
  };
  Help call_help() noexcept;
  /// Wakes or starts it. Runs without the lock. Returns 0 or an errno.
  int summon(Help help) noexcept;
  int start_worker() noexcept;
  /// The first thread cannot be started: nothing that waits will ever run.
  void give_up(int error) noexcept;

  const Options options_;
  std::mutex mutex_;
  Lanes lanes_;
  uint32_t threads_;                              // at most
  std::vector<std::unique_ptr<Worker>> workers_;  // by number; those without a thread are used again
  std::vector<Worker*> parked_;                   // last in, first out: the hottest wakes first
  uint32_t alive_ = 0;                            // threads started and not ended
  uint32_t running_ = 0;                          // tasks in hands, those that have ended included
  std::atomic<uint32_t> finished_{0};  // of those: counted by workers before they post them, without the lock
  uint32_t searching_ = 0;             // threads that linger; one is enough to see new work
  int64_t brief_ns_ = 1000;            // a running mean of what a brief task takes
  bool closed_ = false;
  Task* farewell_ = nullptr;

  /// Expires at the earliest deadline that waits.
  struct Lateness : Timer {
    explicit Lateness(Pool& pool) noexcept : pool(pool) {}
    Pool& pool;
    int64_t armed_ns = kNever;  // for when; guarded by the pool's lock
  } lateness_{*this};

  /// A copy of lanes_.size() for those who linger: only a hint, the lock decides.
  alignas(kCacheLine) std::atomic<size_t> waiting_{0};
};

}  // namespace offloop
