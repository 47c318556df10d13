#include "platform/cpu_clock.hpp"

#if defined(__APPLE__)

#include <mach/mach.h>
#include <pthread.h>

namespace offloop {

CpuClock CpuClock::of_this_thread() noexcept {
  CpuClock clock;
  clock.id_ = pthread_mach_thread_np(pthread_self());
  return clock;
}

int64_t CpuClock::now_ns() const noexcept {
  thread_basic_info info;
  mach_msg_type_number_t size = THREAD_BASIC_INFO_COUNT;
  const auto thread = static_cast<mach_port_t>(id_);
  if (thread_info(thread, THREAD_BASIC_INFO, reinterpret_cast<thread_info_t>(&info), &size) != KERN_SUCCESS) return 0;
  const auto ns = [](const time_value_t& t) {
    return int64_t{t.seconds} * 1'000'000'000 + int64_t{t.microseconds} * 1000;
  };
  return ns(info.user_time) + ns(info.system_time);
}

}  // namespace offloop

#endif
