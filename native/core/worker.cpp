#include "core/worker.hpp"

#include "core/last_orders.hpp"
#include "core/limits.hpp"
#include "core/mailbox.hpp"
#include "core/pool.hpp"
#include "core/turn.hpp"

namespace offloop {
namespace {

/// How many tasks early a cache line is asked for: about as many as fit into the time that it takes to come.
constexpr uint32_t kAhead = 4;
/// Looking at the processor's time costs half a microsecond. Shorter tasks are taken to use what they take: the first long
/// one after short ones is not counted, and from then on they are measured.
constexpr int64_t kWorthMeasuringNs = 20'000;

}  // namespace

void Worker::live(std::shared_ptr<Pool> pool) noexcept {
  while (pool->take(*this)) work(*pool);
  pool->leave();
}

void Worker::work(Pool& pool) noexcept {
  LastOrders::begin();
  Turn::begin(took_ns_, pool.waiting_);
  const bool brief = hand_[0]->brief;
  const bool measured = !brief && measures_cpu_ && !hand_[0]->controlled;
  const CpuClock clock = measured ? CpuClock::of_this_thread() : CpuClock();
  const int64_t cpu_began = measured ? clock.now_ns() : 0;
  uint32_t controlled = 0;
  // Neighbours were mostly accepted together, and so waited equally long.
  int64_t waited = 0;
  uint32_t waited_so = 0;

  Task* newest = nullptr;
  Task* oldest = nullptr;
  Mailbox* home = nullptr;
  uint32_t count = 0;
  for (uint32_t i = 0; i < held_; ++i) {
    if (i + kAhead < held_) fetch_early(hand_[i + kAhead]);
    Task* task = hand_[i];
    if (const int64_t wait = took_ns_ - task->accepted_ns; wait == waited) {
      ++waited_so;
    } else {
      if (waited_so > 0) times_.queued.add(waited, waited_so);
      waited = wait;
      waited_so = 1;
    }
    Task::Ended ended;
    if (task->controlled) {
      ended = run_controlled(*task);
      ++controlled;
    } else {
      ended = task->run();
    }
    if (ended != Task::Ended::settled) {
      pool.finished_.fetch_add(1, std::memory_order_relaxed);  // here and below: the mailbox orders it
      if (ended == Task::Ended::sleeps) {
        limits::sleep(*task);
      } else {
        pool.requeue(*task);
      }
      continue;
    }
    if (newest && home != task->home) {
      pool.finished_.fetch_add(count, std::memory_order_relaxed);
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
  const int64_t cpu = measured ? clock.now_ns() - cpu_began : 0;
  bool must_ring = false;
  if (newest) {
    pool.finished_.fetch_add(count, std::memory_order_relaxed);
    must_ring = home->put(newest, oldest, count);
  }
  // Behind the push, 50 ns, so that nobody waits for the clock; before the ring, which may take microseconds.
  const int64_t took = steady_ns() - took_ns_;
  if (must_ring) home->ring();
  // What follows is not on anybody's way.
  times_.queued.add(waited, waited_so);
  const uint32_t plain = held_ - controlled;
  brief_ns_ = brief && plain > 0 ? took / plain : 0;
  if (plain == 0) return;
  const int64_t each = took / plain;
  times_.run.add(each, plain);
  if (measured) {
    times_.cpu.add(cpu);
  } else if (brief || each < kWorthMeasuringNs) {
    times_.cpu.add(each, plain);
  }
  if (!brief) measures_cpu_ = each >= kWorthMeasuringNs;
}

Task::Ended Worker::run_controlled(Task& task) noexcept {
  const int64_t began = steady_ns();
  limits::begin(task, began, !task.brief);
  const Task::Ended ended = task.run();
  const int64_t now = steady_ns();
  const int64_t cpu = limits::end(task, now);
  times_.run.add(now - began);
  times_.cpu.add(cpu);
  took_ns_ += now - began;  // so that it is not counted with the rest of the hand
  return ended;
}

}  // namespace offloop
