// Faults on demand.
#pragma once

#include <cstdint>

namespace offloop::testing {

inline constexpr int kNever = -1;

/// After `after` more that succeed, every start of a thread by the engine fails with EAGAIN, until kNever is set.
/// Thread: any. Linux only: elsewhere there is no way in, and `can_fail_thread_starts` is false.
void fail_thread_starts(int after) noexcept;
bool can_fail_thread_starts() noexcept;

/// Every allocation by operator new on this thread fails while this lives, after `after` that succeed.
class FailingAllocations {
 public:
  explicit FailingAllocations(int after = 0) noexcept;
  ~FailingAllocations();
  FailingAllocations(const FailingAllocations&) = delete;
};

}  // namespace offloop::testing
