// Bounded, adaptive waiting before a thread sleeps.
#pragma once

#include <algorithm>
#include <cstdint>

#include "base/cpu.hpp"

namespace offloop {

/// Spins for a bounded time on the chance that work is about to come, and does so less and less often while that fails.
/// A hit saves a sleep and a wake-up (20–45 µs on a virtual machine); a miss costs the bound. After `kPatience` misses
/// in a row only every 2nd, 4th, … 64th chance is taken, so a hopeless linger costs under 1/64 of its bound.
/// Thread: one owner.
class Linger {
 public:
  /// Waits until `ready()` or `bound_ns` have passed. Returns whether it became ready.
  template <class Ready>
  bool wait(int64_t bound_ns, Ready&& ready) noexcept {
    if (ready()) return true;
    if (bound_ns <= 0 || skip()) return false;
    const int64_t end = steady_ns() + bound_ns;
    do {
      for (int spin = 0; spin < kSpinsPerClockRead; ++spin) {
        cpu_relax();
        if (ready()) {
          misses_ = 0;
          return true;
        }
      }
    } while (steady_ns() < end);
    ++misses_;
    return false;
  }

 private:
  static constexpr int kSpinsPerClockRead = 8;
  static constexpr uint32_t kPatience = 4;
  static constexpr uint32_t kRarest = 6;  // every 2^6th chance

  bool skip() noexcept {
    if (misses_ < kPatience) return false;
    const uint32_t shift = std::min(misses_ - kPatience + 1, kRarest);
    return (++chances_ & ((1u << shift) - 1)) != 0;
  }

  uint32_t misses_ = 0;
  uint32_t chances_ = 0;
};

}  // namespace offloop
