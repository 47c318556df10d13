#include "core/worker.hpp"

#include "core/last_orders.hpp"
#include "core/mailbox.hpp"
#include "core/pool.hpp"
#include "core/reactor.hpp"

namespace offloop {
namespace {

/// How many tasks early a cache line is asked for: about as many as fit into the time that it takes to come.
constexpr uint32_t kAhead = 4;

}  // namespace

void Worker::live(std::shared_ptr<Pool> pool) noexcept {
  while (pool->take(*this)) work(pool->finished_);
  pool->leave();
}

void Worker::park() noexcept {
  // acquire: what the waker did before it woke us has happened
  while (wanted_.exchange(0, std::memory_order_acquire) == 0) wanted_.wait(0, std::memory_order_relaxed);
}

void Worker::unpark() noexcept {
  wanted_.store(1, std::memory_order_release);
  wanted_.notify_one();
}

void Worker::work(std::atomic<uint32_t>& finished) noexcept {
  LastOrders::begin();
  // Two readings of the clock for each hand of several, to learn how many are worth taking at once.
  const int64_t began = held_ > 1 ? steady_ns() : 0;
  Task* newest = nullptr;
  Task* oldest = nullptr;
  Mailbox* home = nullptr;
  uint32_t count = 0;
  for (uint32_t i = 0; i < held_; ++i) {
    if (i + kAhead < held_) fetch_early(hand_[i + kAhead]);
    Task* task = hand_[i];
    if (!task->run()) {
      finished.fetch_add(1, std::memory_order_relaxed);  // here and below: the mailbox orders it
      Reactor::shared().add(*task);
      continue;
    }
    if (newest && home != task->home) {
      finished.fetch_add(count, std::memory_order_relaxed);
      home->post(newest, oldest, count);
      newest = nullptr;
    }
    if (!newest) {
      home = task->home;
      oldest = task;
      count = 0;
    }
    task->next = newest;
    if (i >= kAhead) task->ahead = hand_[i - kAhead];
    newest = task;
    ++count;
  }
  LastOrders::end();
  worked_ns_ = held_ > 1 ? steady_ns() - began : 0;
  if (!newest) return;
  finished.fetch_add(count, std::memory_order_relaxed);
  home->post(newest, oldest, count);
}

}  // namespace offloop
