// What becomes of a task that the host has as work: it runs on a thread of the host's, and is given back on the loop's.
#include <utility>

#include "addon/node_pool.hpp"
#include "base/cpu.hpp"
#include "core/last_orders.hpp"
#include "core/limits.hpp"
#include "core/mailbox.hpp"

namespace offloop {

void NodePool::execute(napi_env, void* data) noexcept {
  auto& work = *static_cast<Work*>(data);
  NodePool& pool = *work.pool;
  if (!pool.begin(work)) return;
  Task& task = *work.task;
  const bool measured = !task.brief && !task.controlled;
  const CpuClock clock = measured ? CpuClock::of_this_thread() : CpuClock();
  const int64_t cpu_began = measured ? clock.now_ns() : 0;
  Task::Ended ended;
  do {
    ended = task.run();
  } while (ended == Task::Ended::yields);  // there is no queue of ours to go back to
  LastOrders::end();
  pool.end(work, ended, measured ? clock.now_ns() - cpu_began : steady_ns() - work.began_ns);
}

bool NodePool::begin(Work& work) noexcept {
  Task* task = nullptr;
  {
    std::lock_guard lock(mutex_);
    task = work.task;
    if (!task) return false;
    leave_queue(*task);
    const int64_t now = steady_ns();
    const bool late = task->urgent && task->due_ns <= now;
    if (late || !LastOrders::try_begin()) {
      if (task->controlled) task->extras()->queued_ns += now - task->accepted_ns;
      task->refuse(late ? OFFLOOP_DEADLINE : OFFLOOP_CANCELLED);
      move(work, spent_);
      return false;
    }
    move(work, running_);
    work.began_ns = now;
    times_.queued.add(now - task->accepted_ns);
    if (task->controlled) limits::begin_turn(*task, now, !task->brief);
  }
  if (task->controlled) limits::tell_start(*task);
  return true;
}

void NodePool::end(Work& work, Task::Ended ended, int64_t cpu_ns) noexcept {
  const int64_t now = steady_ns();
  Task* home = nullptr;
  {
    std::lock_guard lock(mutex_);
    Task& task = *work.task;
    times_.run.add(now - work.began_ns);
    times_.cpu.add(task.controlled ? limits::end_turn(task, now) : cpu_ns);
    work.ended = ended;
    move(work, spent_);
    if (ended_) {
      if (ended == Task::Ended::sleeps) task.refuse(OFFLOOP_CANCELLED);
      home = release(work);
    }
  }
  if (home) home->home->post(home);
}

void NodePool::complete(napi_env env, napi_status, void* data) noexcept {
  auto& work = *static_cast<Work*>(data);
  napi_delete_async_work(env, std::exchange(work.handle, nullptr));
  const auto pool = work.pool;  // outlives the work
  pool->retire(work);
}

void NodePool::retire(Work& work) noexcept {
  {
    std::lock_guard lock(mutex_);
    if (!work.task) {
      work.in->erase(work.place);
      return;
    }
    if (work.in == &waiting_) {  // the host has given it up by itself
      leave_queue(*work.task);
      work.task->refuse(OFFLOOP_CANCELLED);
    }
  }
  // Nobody else takes a task that is done, while the environment lasts.
  forget(work, *work.task);
  if (work.ended == Task::Ended::sleeps) {
    sleep(work);
  } else {
    settle(work);
  }
}

void NodePool::sleep(Work& work) noexcept {
  Task& task = *work.task;
  const int64_t due = limits::sleeps_until_ns(task);
  if (task.stop.load(std::memory_order_relaxed)) {  // set on this thread
    task.refuse(OFFLOOP_CANCELLED);
  } else if (due <= steady_ns()) {
    task.refuse(limits::woken(task, due));
  } else if (timers_.arm(task, due, wake_up)) {
    std::lock_guard lock(mutex_);
    return move(work, asleep_);
  } else {
    task.refuse(OFFLOOP_NO_MEMORY);
  }
  settle(work);
}

void NodePool::wake_up(Timer& timer) noexcept {
  auto& task = static_cast<Task&>(timer);
  auto& work = *static_cast<Work*>(task.held);
  task.refuse(limits::woken(task, task.due_ns));
  const auto pool = work.pool;  // outlives the work
  pool->settle(work);
}

void NodePool::settle(Work& work) noexcept {
  Task* task = nullptr;
  {
    std::lock_guard lock(mutex_);
    task = release(work);
    work.in->erase(work.place);
  }
  task->home->post(task);
  say_farewell();
}

}  // namespace offloop
