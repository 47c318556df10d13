// How much processor time a thread has used.
#pragma once

#include <cstdint>

namespace offloop {

/// A thread's clock, which others may read while the thread lives.
class CpuClock {
 public:
  CpuClock() = default;
  static CpuClock of_this_thread() noexcept;
  /// Units: nanoseconds since the thread began. A system call: half a microsecond.
  int64_t now_ns() const noexcept;

 private:
  uint64_t id_ = 0;  // in the system's terms
};

}  // namespace offloop
