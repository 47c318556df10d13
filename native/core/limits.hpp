// What happens to a task at a certain time once a worker has it: its limits while it runs, its end while it sleeps.
#pragma once

#include "core/task.hpp"

namespace offloop::limits {

// --- by the reactor: for pools of our own ---

/// Around a turn of a controlled task, on the worker's thread. Between the two the reactor may stop the task and tell its
/// environment so; after `end` it no longer touches it.
void begin(Task& task, int64_t now_ns, bool measures_cpu) noexcept;
/// Returns the processor time of the turn; where it was not measured, its run time.
int64_t end(Task& task, int64_t now_ns) noexcept;

/// Takes over a task that ends at the time its result says, or when its run time is over. Always settles it, at the latest as failed when
/// the reactor cannot run. Thread: the worker's.
void sleep(Task& task) noexcept;
/// Settles a sleeping task as cancelled, if it still sleeps; wakes a body that waits. Its stop flag is set. Thread: any.
void wake(Task& task) noexcept;

// --- what that is made of: for executors with timers of their own, whose lock guards what is read and written here ---

/// Counts the times of a turn, and lets limits be looked at.
void begin_turn(Task& task, int64_t now_ns, bool measures_cpu) noexcept;
/// Returns what `end` does.
int64_t end_turn(Task& task, int64_t now_ns) noexcept;
/// Tells whoever wants to know that the task has begun. Rings: not with a lock held.
void tell_start(Task& task) noexcept;
/// During a turn: the limit that has been reached, or OFFLOOP_OK.
Status reached(const Extras& extras, int64_t now_ns) noexcept;
/// During a turn: the next time at which a limit may have been reached; kNever without one.
int64_t next_look_ns(const Extras& extras, int64_t now_ns) noexcept;
/// Stops the task, and tells its environment which limit has. Rings: not with a lock held.
void cut(Task& task, Status limit) noexcept;
/// Of a task that has gone to sleep, once: until when.
int64_t sleeps_until_ns(Task& task) noexcept;
/// How a task ends that has slept until then.
Status woken(const Task& task, int64_t due_ns) noexcept;

}  // namespace offloop::limits
