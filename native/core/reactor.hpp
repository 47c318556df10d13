// The thread that waits, so that no worker has to.
#pragma once

#include <chrono>
#include <memory>
#include <mutex>

#include "base/deadline_heap.hpp"
#include "core/task.hpp"
#include "platform/select.hpp"

namespace offloop {

/// Settles tasks at their due time. One thread for the process, started by the first task that waits.
/// Thread: any. Lifetime: never destroyed.
class Reactor {
 public:
  static Reactor& shared() noexcept;

  /// Takes over a task that ends at `task.due_ns`. Always settles it, at the latest as failed when the reactor cannot run.
  void add(Task& task) noexcept;
  /// Settles a waiting task as cancelled, if it is here.
  void cancel(Task& task) noexcept;

 private:
  Reactor() = default;

  /// Opens the poller and starts the thread. Runs with the lock held. Returns 0 or an errno.
  int start() noexcept;
  [[noreturn]] void live() noexcept;
  /// Returns how long there is nothing to do.
  std::chrono::nanoseconds settle_due() noexcept;

  std::mutex mutex_;
  DeadlineHeap<Task> waiting_;
  std::unique_ptr<Poller> poller_;
  std::unique_ptr<WakeHandle> wake_;
};

}  // namespace offloop
