#include "platform/cpu_clock.hpp"

#if defined(_WIN32)

#include <windows.h>

namespace offloop {
namespace {

/// Units: a hundred nanoseconds each.
int64_t ns_of(const FILETIME& time) noexcept {
  return static_cast<int64_t>(uint64_t{time.dwHighDateTime} << 32 | time.dwLowDateTime) * 100;
}

}  // namespace

CpuClock CpuClock::of_this_thread() noexcept {
  CpuClock clock;
  clock.id_ = GetCurrentThreadId();
  return clock;
}

/// The system counts in ticks of its own, 15.6 ms.
int64_t CpuClock::now_ns() const noexcept {
  const HANDLE thread = OpenThread(THREAD_QUERY_LIMITED_INFORMATION, FALSE, static_cast<DWORD>(id_));
  if (!thread) return 0;
  FILETIME began, ended, kernel, user;
  const bool known = GetThreadTimes(thread, &began, &ended, &kernel, &user);
  CloseHandle(thread);
  return known ? ns_of(kernel) + ns_of(user) : 0;
}

}  // namespace offloop

#endif
