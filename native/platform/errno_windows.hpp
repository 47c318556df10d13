// What the errors of Windows are called elsewhere.
#pragma once

namespace offloop {

/// The errno for an error of the system or of its sockets, as libuv, and so Node, has it: EIO if there is none.
/// Never 0, since who asks has failed.
int errno_of(unsigned long error) noexcept;

/// The same for what the last call of this thread left behind.
int last_errno() noexcept;

}  // namespace offloop
