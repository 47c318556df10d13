#include "platform/cpu_clock.hpp"

#if !defined(_WIN32) && !defined(__APPLE__)

#include <pthread.h>
#include <time.h>

namespace offloop {

CpuClock CpuClock::of_this_thread() noexcept {
  CpuClock clock;
  clockid_t id = CLOCK_THREAD_CPUTIME_ID;
  pthread_getcpuclockid(pthread_self(), &id);
  clock.id_ = static_cast<uint64_t>(static_cast<int64_t>(id));
  return clock;
}

int64_t CpuClock::now_ns() const noexcept {
  timespec now{};
  clock_gettime(static_cast<clockid_t>(static_cast<int64_t>(id_)), &now);
  return int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

}  // namespace offloop

#endif
