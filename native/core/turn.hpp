// How long the task that runs on this thread may go on while others wait.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "base/cpu.hpp"

namespace offloop {

/// Thread: each has its own.
class Turn {
 public:
  /// A share worth the cost of changing over, and short beside what people notice.
  static constexpr int64_t kNs = 10'000'000;

  /// `waiting` counts the tasks that want a thread. Lifetime: longer than this thread.
  static void begin(int64_t now_ns, const std::atomic<size_t>& waiting) noexcept { mine_ = {now_ns, &waiting}; }
  static bool is_over() noexcept {
    // relaxed: only a hint
    return mine_.waiting && mine_.waiting->load(std::memory_order_relaxed) > 0 && steady_ns() - mine_.began_ns >= kNs;
  }

 private:
  struct Mine {
    int64_t began_ns;
    const std::atomic<size_t>* waiting;
  };
  static inline thread_local Mine mine_{0, nullptr};
};

}  // namespace offloop
