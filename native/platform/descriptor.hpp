// What the system calls a thing that can be watched.
#pragma once

#include <cstdint>
#include <type_traits>

namespace offloop {

/// A file descriptor; on Windows, where alone wide characters have 16 bits, a SOCKET or a HANDLE.
using Descriptor = std::conditional_t<sizeof(wchar_t) == 2, uintptr_t, int>;

}  // namespace offloop
