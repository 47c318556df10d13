// Between the values of JavaScript and those of a task. Thread: the loop's.
#pragma once

#include <napi.h>

#include <cstdint>

#include "addon/layout.hpp"
#include "core/task.hpp"

namespace offloop {

class Queues;

/// The inputs that one flush found in shared memory and in JavaScript's hands.
struct Inputs {
  const uint8_t* arena;    // the record's bytes
  napi_value attachments;  // array: what was too large for the arena, in order
  uint32_t next_attachment;
  Queues& queues;
};

/// Makes the task's arguments from its cells: short bytes are copied out of the arena, long ones borrowed where they are.
/// Sets `borrows` and `brief`. Returns OFFLOOP_OK, or why the task cannot run. Throws std::bad_alloc.
Status read_arguments(napi_env env, Task& task, const uint32_t* cells, uint32_t count, Inputs& inputs);

/// A result as a value of JavaScript. Takes over memory that the task owns. nullptr: it cannot be made, and the task has
/// failed for that.
napi_value make_result(napi_env env, Task& task) noexcept;
/// The details of a failure. nullptr: JavaScript can no longer run here.
napi_value make_failure(napi_env env, const Task& task) noexcept;

}  // namespace offloop
