// Timers for tests.
#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <functional>

#include "base/cpu.hpp"
#include "core/reactor.hpp"
#include "support/gate.hpp"

namespace offloop::testing {

inline constexpr int64_t kMs = 1'000'000;
inline constexpr int64_t kDistant = 3'600'000 * kMs;

/// Does what it is told when it expires, and counts. Must be disarmed before it goes, unless it has come.
struct Alarm : Timer {
  std::function<void()> work = [] {};
  std::atomic<int> expired{0};

  static void ring(Timer& timer) noexcept {
    auto& self = static_cast<Alarm&>(timer);
    self.work();
    ++self.expired;
  }
  int arm(int64_t from_now_ns) { return Reactor::shared().arm(*this, steady_ns() + from_now_ns, ring); }
  bool comes() {
    return eventually([this] { return expired > 0; });
  }
};

/// Returns when the reactor has come past everything that is due in `ns` from now.
inline void pass(int64_t ns) {
  Alarm last;
  EXPECT_EQ(last.arm(ns), 0);
  EXPECT_TRUE(last.comes());
  Reactor::shared().disarm(last);
}

/// Keeps the reactor busy while it lives, so that nothing else expires.
class Held {
 public:
  Held() {
    alarm_.work = [this] {
      begun_.open();
      go_.wait();
    };
    EXPECT_EQ(alarm_.arm(0), 0);
    EXPECT_TRUE(begun_.wait());
  }
  ~Held() {
    go_.open();
    Reactor::shared().disarm(alarm_);
  }
  Held(const Held&) = delete;

 private:
  Gate begun_;
  Gate go_;
  Alarm alarm_;
};

}  // namespace offloop::testing
