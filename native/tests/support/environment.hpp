// What the addon is to core, without Node: a mailbox whose doorbell is a real wake handle, and a loop that waits for it.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "core/mailbox.hpp"
#include "core/pool.hpp"
#include "platform/select.hpp"

namespace offloop::testing {

using TaskBody = std::function<Status(Call&)>;

/// Thread: one, the one that made it. Bodies must have ended before it goes, or live in what outlives it.
class Environment {
 public:
  static constexpr uint8_t kNormal = 128;

  struct How {
    bool brief = false;
    uint8_t priority = kNormal;
  };

  Environment();
  ~Environment() { leave(); }
  Environment(const Environment&) = delete;

  /// A task in a fresh slot.
  Task& make(TaskBody body, How how);
  Task& make(TaskBody body) { return make(std::move(body), How{}); }
  /// `count` tasks that do nothing, briefly.
  std::vector<Task*> make_noops(size_t count);

  Pool::Accepted submit(Pool& pool, std::span<Task* const> tasks);
  Pool::Accepted submit(Pool& pool, Task& task);
  /// Makes it and submits it; it must be accepted.
  Task& run(Pool& pool, TaskBody body, How how);
  Task& run(Pool& pool, TaskBody body) { return run(pool, std::move(body), How{}); }
  /// Counts a task that reaches the mailbox by another way than submit.
  void expect(Task& task);

  /// Waits until `count` more tasks have come home, and returns them in that order. Fewer: they did not come in time.
  std::vector<Task*> await(size_t count);
  /// The next one, or nullptr.
  Task* await_one();
  std::vector<Task*> await_all() { return await(outstanding_); }
  /// What is home now, without waiting.
  std::vector<Task*> collect();

  /// Gives the mailbox up with whatever is still out.
  void leave();

  Mailbox& mailbox() { return *mailbox_; }
  uint32_t outstanding() const { return outstanding_; }

 private:
  std::unique_ptr<Poller> poller_;
  std::unique_ptr<WakeHandle> wake_;
  Mailbox* mailbox_;
  std::deque<TaskBody> bodies_;
  std::deque<Value> arguments_;
  uint32_t next_slot_ = 0;
  uint32_t outstanding_ = 0;
};

/// A pool for tests: four threads, room for plenty, no linger.
Pool::Options pool_options();
std::shared_ptr<Pool> make_pool(Pool::Options options = pool_options());
/// Closes the pool and waits until its last thread has said farewell.
void close_and_wait(Environment& environment, Pool& pool);

}  // namespace offloop::testing
