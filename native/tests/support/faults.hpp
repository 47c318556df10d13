// Faults on demand.
#pragma once

#include <cstdint>
#include <functional>

namespace offloop::testing {

inline constexpr int kNever = -1;

/// After `after` more that succeed, every start of a thread by the engine fails with EAGAIN, until kNever is set.
/// Thread: any.
void fail_thread_starts(int after) noexcept;
/// Has `hook` called before every start of a thread, on the thread that starts it; nullptr: no more.
void at_thread_starts(const std::function<void()>* hook) noexcept;

/// How often the engine has written to a descriptor, triggered an event, or posted to a completion port: in these tests, how
/// often a wake handle was rung.
uint64_t rings() noexcept;

/// Every allocation by operator new on this thread fails while this lives, after `after` that succeed.
class FailingAllocations {
 public:
  explicit FailingAllocations(int after = 0) noexcept;
  ~FailingAllocations();
  FailingAllocations(const FailingAllocations&) = delete;
};

}  // namespace offloop::testing
