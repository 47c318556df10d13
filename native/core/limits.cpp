#include "core/limits.hpp"

#include <algorithm>
#include <cerrno>
#include <utility>

#include "core/mailbox.hpp"
#include "core/reactor.hpp"
#include "core/stops.hpp"

namespace offloop::limits {
namespace {

int64_t run_time_ends_ns(const Extras& extras) noexcept {
  if (extras.timeout_ns == Timer::kNever) return Timer::kNever;
  return extras.turn_began_ns + std::max<int64_t>(extras.timeout_ns - extras.run_ns, 0);
}

int64_t budget_left_ns(const Extras& extras) noexcept {
  if (extras.budget_ns == Timer::kNever) return Timer::kNever;
  return extras.budget_ns - extras.cpu_ns - (extras.clock.now_ns() - extras.turn_cpu_began_ns);
}

void look(Timer& timer) noexcept {
  auto& task = static_cast<Task&>(timer);
  const Extras& extras = *task.extras();
  const int64_t now = steady_ns();
  if (const Status limit = reached(extras, now)) return cut(task, limit);
  // If the reactor cannot go on, nobody can help; it could when this timer was armed.
  (void)Reactor::shared().arm(timer, next_look_ns(extras, now), look);
}

void settle(Task& task, Status status) noexcept {
  task.refuse(status);
  task.home->post(&task);
}

void wake_up(Timer& timer) noexcept {
  auto& task = static_cast<Task&>(timer);
  settle(task, woken(task, task.due_ns));
}

}  // namespace

void begin_turn(Task& task, int64_t now_ns, bool measures_cpu) noexcept {
  Extras& extras = *task.extras();
  extras.queued_ns += now_ns - task.accepted_ns;
  extras.turn_began_ns = now_ns;
  extras.measures_cpu = measures_cpu || extras.budget_ns != Timer::kNever;
  if (extras.measures_cpu) {
    extras.clock = CpuClock::of_this_thread();
    extras.turn_cpu_began_ns = extras.clock.now_ns();
  }
}

int64_t end_turn(Task& task, int64_t now_ns) noexcept {
  Extras& extras = *task.extras();
  const int64_t run = now_ns - extras.turn_began_ns;
  // The two clocks are not read at the same moment, but no thread uses more processor time than time.
  const int64_t cpu = extras.measures_cpu ? std::min(run, extras.clock.now_ns() - extras.turn_cpu_began_ns) : run;
  extras.run_ns += run;
  extras.cpu_ns += cpu;
  extras.turn_began_ns = now_ns;  // if it goes to sleep: its run time goes on from here
  return cpu;
}

void tell_start(Task& task) noexcept {
  Extras& extras = *task.extras();
  if (!extras.started.exchange(true, std::memory_order_relaxed) && extras.tells_start) task.tell(Extras::kStarted);
}

Status reached(const Extras& extras, int64_t now_ns) noexcept {
  if (run_time_ends_ns(extras) <= now_ns) return OFFLOOP_TIMEOUT;
  return budget_left_ns(extras) <= 0 ? OFFLOOP_BUDGET : OFFLOOP_OK;
}

int64_t next_look_ns(const Extras& extras, int64_t now_ns) noexcept {
  // No thread uses more processor time than time.
  const int64_t left = budget_left_ns(extras);
  return std::min(run_time_ends_ns(extras), left == Timer::kNever ? left : now_ns + std::max<int64_t>(left, 0));
}

void cut(Task& task, Status limit) noexcept {
  task.extras()->cut.store(static_cast<uint8_t>(limit), std::memory_order_relaxed);  // published by tell()
  task.stop.store(true, std::memory_order_relaxed);                                  // carries no data
  stops::raise(task);
  task.tell(Extras::kCut);
}

int64_t sleeps_until_ns(Task& task) noexcept {
  const int64_t due = std::exchange(task.result, Value::undefined()).integer;
  return task.extras() ? std::min(due, run_time_ends_ns(*task.extras())) : due;
}

Status woken(const Task& task, int64_t due_ns) noexcept {
  return task.extras() && run_time_ends_ns(*task.extras()) <= due_ns ? OFFLOOP_TIMEOUT : OFFLOOP_OK;
}

void begin(Task& task, int64_t now_ns, bool measures_cpu) noexcept {
  begin_turn(task, now_ns, measures_cpu);
  tell_start(task);
  const int64_t due = next_look_ns(*task.extras(), now_ns);
  if (due == Timer::kNever) return;
  // Without a reactor the limits are not kept. It has failed to start, so the system is at its own limits.
  (void)Reactor::shared().arm(task, due, look);
}

int64_t end(Task& task, int64_t now_ns) noexcept {
  const Extras& extras = *task.extras();
  if (extras.timeout_ns != Timer::kNever || extras.budget_ns != Timer::kNever) Reactor::shared().disarm(task);
  return end_turn(task, now_ns);
}

void sleep(Task& task) noexcept {
  const int64_t due = sleeps_until_ns(task);
  if (due <= steady_ns()) return settle(task, woken(task, due));
  const int error = Reactor::shared().arm_unless(task, due, wake_up, &task.stop);
  if (error == 0) return;
  if (error == ECANCELED) return settle(task, OFFLOOP_CANCELLED);
  try {
    task.fail(Failure::Source::system, -error, "", "epoll_create1", "");
  } catch (const std::bad_alloc&) {
    // the status alone will do
  }
  settle(task, OFFLOOP_SYSTEM);
}

void wake(Task& task) noexcept {
  stops::raise(task);
  if (Reactor::shared().disarm_if(task, wake_up)) settle(task, OFFLOOP_CANCELLED);
}

}  // namespace offloop::limits
