#include "addon/node_pool.hpp"

#include <algorithm>
#include <cstdlib>
#include <new>
#include <utility>

#include "base/cpu.hpp"
#include "core/limits.hpp"
#include "core/mailbox.hpp"
#include "core/stops.hpp"

namespace offloop {
namespace {

/// libuv's, whose rules these are: the variable is read once, when its pool starts.
uint32_t threads_of_host() noexcept {
  static const uint32_t threads = [] {
    constexpr long kDefault = 4;
    constexpr long kMost = 1024;
    const char* wanted = std::getenv("UV_THREADPOOL_SIZE");
    return static_cast<uint32_t>(wanted ? std::clamp(std::strtol(wanted, nullptr, 10), 1L, kMost) : kDefault);
  }();
  return threads;
}

}  // namespace

NodePool::NodePool(napi_env env, LoopTimers& timers, Options options) : env_(env), timers_(timers), options_(options) {}

Executor::Accepted NodePool::submit(std::span<Task* const> tasks) noexcept {
  Accepted accepted{0, options_.overflow == Overflow::reject ? OFFLOOP_QUEUE_FULL : OFFLOOP_DROPPED};
  if (closed_) return {0, OFFLOOP_CLOSED};
  napi_value name = nullptr;
  if (napi_create_string_utf8(env_, "offloop", NAPI_AUTO_LENGTH, &name) != napi_ok) return {0, OFFLOOP_UNSUPPORTED};
  for (Task* task : tasks) {
    if (!make_room()) break;
    if (const Status refused = enqueue(*task, name)) {
      accepted.reason = refused;
      break;
    }
    ++accepted.count;
  }
  return accepted;
}

bool NodePool::make_room() noexcept {
  if (options_.overflow == Overflow::wait) return true;
  for (;;) {
    Task* oldest = nullptr;
    {
      std::lock_guard lock(mutex_);
      if (waiting_.size() < options_.capacity) return true;
      if (options_.overflow != Overflow::drop_oldest) return false;
      oldest = waiting_.front().task;
    }
    take_out(*oldest, OFFLOOP_DROPPED);  // or it has begun: that makes room too
  }
}

Status NodePool::enqueue(Task& task, napi_value name) noexcept {
  Works fresh;
  try {
    fresh.push_back({shared_from_this(), &task, &waiting_});
  } catch (const std::bad_alloc&) {
    return OFFLOOP_NO_MEMORY;
  }
  Work& work = fresh.front();
  work.place = fresh.begin();
  if (const Extras* extras = task.controlled ? task.extras() : nullptr) {
    const int64_t limit = std::min(extras->timeout_ns, extras->budget_ns);
    if (limit != Timer::kNever) {
      work.limited = true;
      ++limited_;
      least_limit_ns_ = std::min(least_limit_ns_, limit);
    }
  }
  Status refused = OFFLOOP_OK;
  const bool armed = (!task.urgent || timers_.arm(task, task.due_ns, expire_late)) &&
                     (!work.limited || timers_.arm(look_, steady_ns() + least_limit_ns_, [](Timer& timer) noexcept {
                       static_cast<Look&>(timer).pool.look();
                     }));
  if (!armed) {
    refused = OFFLOOP_NO_MEMORY;
  } else if (napi_create_async_work(env_, nullptr, name, execute, complete, &work, &work.handle) != napi_ok) {
    refused = OFFLOOP_UNSUPPORTED;
  } else {
    {
      std::lock_guard lock(mutex_);
      task.held = &work;
      ++depth_[task.lane];
      ++out_;
      waiting_.splice(waiting_.end(), fresh);
    }
    if (napi_queue_async_work(env_, work.handle) == napi_ok) return OFFLOOP_OK;
    refused = OFFLOOP_UNSUPPORTED;
    napi_delete_async_work(env_, work.handle);
    std::lock_guard lock(mutex_);
    leave_queue(task);
    --out_;
    fresh.splice(fresh.end(), waiting_, work.place);
  }
  forget(work, task);
  return refused;
}

void NodePool::expire_late(Timer& timer) noexcept {
  auto& task = static_cast<Task&>(timer);
  const auto pool = static_cast<Work*>(task.held)->pool;
  pool->take_out(task, OFFLOOP_DEADLINE);
}

bool NodePool::take_out(Task& task, Status status) noexcept {
  Work* work = nullptr;
  {
    std::lock_guard lock(mutex_);
    if (task.lane == Task::kNoLane) return false;
    work = static_cast<Work*>(task.held);
    leave_queue(task);
    release(*work);
    move(*work, spent_);
  }
  // If the host refuses, a thread of its has it already, and finds nothing to do.
  napi_cancel_async_work(env_, work->handle);
  forget(*work, task);
  if (task.controlled) task.extras()->queued_ns += steady_ns() - task.accepted_ns;
  task.refuse(status);
  task.home->post(&task);
  say_farewell();
  return true;
}

void NodePool::cancel(Task& task) noexcept {
  if (take_out(task, OFFLOOP_CANCELLED)) return;
  task.stop.store(true, std::memory_order_relaxed);  // carries no data
  stops::raise(task);
  if (task.expire != wake_up || !timers_.disarm(task)) return;
  task.refuse(OFFLOOP_CANCELLED);  // it slept
  auto& work = *static_cast<Work*>(task.held);
  const auto pool = work.pool;  // outlives the work
  settle(work);
}

void NodePool::cancel_waiting() noexcept {
  for (;;) {
    Task* first = nullptr;
    {
      std::lock_guard lock(mutex_);
      if (waiting_.empty()) return;
      first = waiting_.front().task;
    }
    take_out(*first, OFFLOOP_CANCELLED);
  }
}

void NodePool::close(Task* farewell) noexcept {
  if (!farewell) return end();
  closed_ = true;
  farewell_ = farewell;
  say_farewell();
}

void NodePool::say_farewell() noexcept {
  Task* farewell = nullptr;
  {
    std::lock_guard lock(mutex_);
    if (out_ == 0) farewell = std::exchange(farewell_, nullptr);
  }
  if (farewell) farewell->home->post(farewell);
}

void NodePool::end() noexcept {
  closed_ = true;
  cancel_waiting();
  Task* chain = nullptr;
  {
    std::lock_guard lock(mutex_);
    ended_ = true;
    for (Work& work : running_) {
      work.task->stop.store(true, std::memory_order_relaxed);  // carries no data
      stops::raise(*work.task);
    }
    for (Works* works : {&spent_, &asleep_}) {
      for (Work& work : *works) {
        if (!work.task) continue;
        if (work.ended == Task::Ended::sleeps) work.task->refuse(OFFLOOP_CANCELLED);
        Task* task = release(work);
        task->next = chain;
        chain = task;
      }
    }
    asleep_.clear();
  }
  while (chain) {
    auto* next = static_cast<Task*>(chain->next);
    chain->home->post(chain);
    chain = next;
  }
}

void NodePool::forget(Work& work, Task& task) noexcept {
  timers_.disarm(task);
  if (!std::exchange(work.limited, false) || --limited_ > 0) return;
  least_limit_ns_ = Timer::kNever;
  timers_.disarm(look_);
}

void NodePool::look() noexcept {
  for (;;) {
    Task* over = nullptr;
    Status limit = OFFLOOP_OK;
    const int64_t now = steady_ns();
    int64_t next = Timer::kNever;
    {
      std::lock_guard lock(mutex_);
      // One that begins later cannot reach its limit sooner than this.
      if (!waiting_.empty() && limited_ > 0) next = now + least_limit_ns_;
      for (const Work& work : running_) {
        if (!work.limited) continue;
        const Extras& extras = *work.task->extras();
        if (extras.cut.load(std::memory_order_relaxed) != OFFLOOP_OK) continue;  // written on this thread
        if ((limit = limits::reached(extras, now))) {
          over = work.task;
          break;
        }
        next = std::min(next, limits::next_look_ns(extras, now));
      }
    }
    if (!over) {
      if (next != Timer::kNever) (void)timers_.arm(look_, next, look_.expire);  // has room: it was armed
      return;
    }
    limits::cut(*over, limit);  // if it has ended meanwhile, it is still to be completed on this thread
  }
}

Executor::Counts NodePool::counts() noexcept {
  std::lock_guard lock(mutex_);
  Counts counts;
  counts.queued = std::min(waiting_.size(), options_.capacity);
  counts.waiting = waiting_.size() - counts.queued;
  counts.running = static_cast<uint32_t>(running_.size());
  counts.threads = counts.started = threads_of_host();
  counts.depth = depth_;
  return counts;
}

void NodePool::move(Work& work, Works& to) noexcept {
  to.splice(to.end(), *work.in, work.place);
  work.in = &to;
}

void NodePool::leave_queue(Task& task) noexcept { --depth_[std::exchange(task.lane, Task::kNoLane)]; }

Task* NodePool::release(Work& work) noexcept {
  --out_;
  return std::exchange(work.task, nullptr);
}

}  // namespace offloop
