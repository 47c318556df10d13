// Windows' library of sockets, which has to be started.
#pragma once

namespace offloop {

/// Before the first call of the library, by whoever makes it; again costs nothing. Returns 0 or an errno. Thread: any.
int start_sockets() noexcept;

}  // namespace offloop
