// Threads of the operating system.
#pragma once

#include <cstddef>
#include <string>

namespace offloop {

/// Bytes of a thread's name that every system shows.
inline constexpr size_t kThreadName = 15;

/// Starts a detached thread that runs `entry(argument)`, with every signal blocked but the synchronous ones, so that the
/// host's signals are handled by the host's threads. Returns 0 or an errno.
/// Units: `stack_bytes` is rounded up to what the system allows. `name` is cut to kThreadName.
int start_thread(const std::string& name, size_t stack_bytes, void (*entry)(void*) noexcept, void* argument) noexcept;

/// Sleeps for a moment, 0.1 to 0.3 ms; not at all where the system counts sleeps in milliseconds.
void rest() noexcept;

/// Processors this process may run on, at least 1.
unsigned available_parallelism() noexcept;

}  // namespace offloop
