// Bodies that wait for something outside the engine, and how they hear that their run is to end.
#pragma once

namespace offloop {

class Task;

namespace stops {

/// Wakes the body of this task, if it waits; its stop flag is set. Thread: any that keeps the task from going home.
void raise(const Task& task) noexcept;
/// The process exits: wakes all.
void raise_all() noexcept;

}  // namespace stops
}  // namespace offloop
