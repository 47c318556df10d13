// The state of a stream, as JavaScript and the tasks that are its steps share it: it lives as long as any of them has it.
#pragma once

#include <napi.h>

#include "core/task.hpp"

namespace offloop {

/// A value that stands for a new stream. Its state goes when JavaScript has dropped it, or nobody can reach it any more, and
/// no step is under way. Throws Napi::Error or std::bad_alloc. Thread: the loop's.
Napi::Value make_stream(Napi::Env env);

/// Lets go of the state now. Steps may not be submitted any more; one that is under way goes on. Thread: the loop's.
void drop_stream(napi_env env, napi_value stream) noexcept;

/// Makes the state of the stream that of the task: see Call::state. Throws std::bad_alloc. Thread: the loop's.
void join_stream(napi_env env, napi_value stream, Task& task);

}  // namespace offloop
