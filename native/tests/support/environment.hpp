// What the addon is to core, without Node: a mailbox whose doorbell is a real wake handle, and a loop that waits for it.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <span>
#include <utility>
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
    int64_t deadline_ns = Timer::kNever;  // from when it is made
    int64_t timeout_ns = Timer::kNever;
    int64_t budget_ns = Timer::kNever;
    bool tells_start = false;
    bool watched = false;
  };

  /// What one notice brought.
  struct News {
    Task* task;
    uint8_t what;  // of Extras::News
    Status cut;    // with kCut
    double done;   // with kProgress
    double total;
  };

  Environment();
  ~Environment() { leave(); }
  Environment(const Environment&) = delete;

  /// A task in a fresh slot.
  Task& make(TaskBody body, How how);
  Task& make(TaskBody body) { return make(std::move(body), How{}); }
  /// A task in the slot of one that is home.
  void make_again(Task& task, TaskBody body, How how);
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
  /// Every notice that has come with the tasks above, oldest first. A notice is always home before its task.
  const std::vector<News>& news() const { return news_; }
  /// Waits until there are `count` of them. Whatever else comes home is in `early()`.
  void await_news(size_t count);
  /// Tasks that came home while others were waited for, since last asked.
  std::vector<Task*> early() { return std::exchange(early_, {}); }

  /// Gives the mailbox up with whatever is still out.
  void leave();

  Mailbox& mailbox() { return *mailbox_; }
  /// Where its rings arrive, for tests that wait for more than those.
  Poller& poller() { return *poller_; }
  WakeHandle& wake() { return *wake_; }
  uint32_t outstanding() const { return outstanding_; }

 private:
  /// Asks again after each ring, until it is enough or nobody has patience any more.
  void wait_until(const std::function<bool()>& enough);
  void take_news(Extras::Notice& notice);
  void prepare(Task& task, TaskBody body, How how);

  std::unique_ptr<Poller> poller_;
  std::unique_ptr<WakeHandle> wake_;
  Mailbox* mailbox_;
  std::vector<News> news_;
  std::vector<Task*> early_;
  std::deque<TaskBody> bodies_;
  std::deque<Value> arguments_;
  uint32_t next_slot_ = 0;
  uint32_t outstanding_ = 0;
};

/// A pool for tests: four threads, room for plenty, no linger, no aging to speak of.
Pool::Options pool_options();
std::shared_ptr<Pool> make_pool(Pool::Options options = pool_options());
/// Closes the pool and waits until its last thread has said farewell.
void close_and_wait(Environment& environment, Pool& pool);

}  // namespace offloop::testing
