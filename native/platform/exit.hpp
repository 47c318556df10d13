// The end of the process.
#pragma once

namespace offloop {

/// Calls `handler` when the process exits, before those who asked earlier: that is, before the libraries of the host
/// tear down. `status` is the exit status, or -1 where the system does not tell. Asked twice, it calls twice.
void at_exit(void (*handler)(int status)) noexcept;

/// Ends the process with no further handlers.
[[noreturn]] void exit_now(int status) noexcept;

}  // namespace offloop
