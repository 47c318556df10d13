// A pool: threads of its own, lanes of its own, one lock.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include "base/cpu.hpp"
#include "core/lanes.hpp"
#include "core/worker.hpp"

namespace offloop {

class PatientLock;

/// Thread: any, unless a function says otherwise. The lock is never held while a task runs, a doorbell rings, a thread is
/// woken or started, or another lock is taken.
/// Lifetime: counted by its environment and by each of its threads.
class Pool : public std::enable_shared_from_this<Pool> {
 public:
  struct Options {
    std::string name;    // its threads are name/0, name/1, …
    uint32_t threads;    // at most; started when needed
    uint32_t capacity;   // tasks accepted and not begun, beyond those that free threads are about to take
    int64_t linger_ns;   // how long a thread that ran dry spins before it parks
    size_t stack_bytes;  // of each thread
  };
  struct Counts {
    size_t queued;
    uint32_t running;  // in workers' hands
    uint32_t threads;  // started
    uint32_t parked;
  };
  struct Accepted {
    size_t count;   // this many from the front
    Status reason;  // why not the rest
  };

  explicit Pool(Options options) : options_(std::move(options)) {}
  Pool(const Pool&) = delete;

  /// Takes what fits, in order; the rest stays with the caller.
  Accepted submit(std::span<Task* const> tasks) noexcept;
  /// Takes a waiting task out and sends it home as cancelled. A task that is no longer waiting sees its stop flag instead.
  /// The caller knows that the task is in flight: that is, it is the task's environment.
  void cancel(Task& task) noexcept;
  /// Sends every waiting task home as cancelled.
  void cancel_waiting() noexcept;
  /// Accepts no more. Threads end once the lanes are empty; the last one posts `farewell`, if there is one.
  void close(Task* farewell) noexcept;
  Counts counts() noexcept;

  const Options& options() const noexcept { return options_; }

 private:
  friend class Worker;

  /// Fills the worker's hand. Lingers, then parks, while there is nothing. False: the pool is closed, end the thread.
  bool take(Worker& worker) noexcept;
  void leave() noexcept;

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
  std::vector<std::unique_ptr<Worker>> workers_;
  std::vector<Worker*> parked_;        // last in, first out: the hottest wakes first
  uint32_t alive_ = 0;                 // threads started and not ended
  uint32_t running_ = 0;               // tasks in hands, those that have ended included
  std::atomic<uint32_t> finished_{0};  // of those: counted by workers before they post them, without the lock
  uint32_t searching_ = 0;             // threads that linger; one is enough to see new work
  int64_t brief_ns_ = 1000;            // a running mean of what a brief task takes
  bool closed_ = false;
  Task* farewell_ = nullptr;
  /// A copy of lanes_.size() for those who linger: only a hint, the lock decides.
  alignas(kCacheLine) std::atomic<size_t> waiting_{0};
};

}  // namespace offloop
