// Watchers for tests.
#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <functional>

#include "core/reactor.hpp"
#include "support/gate.hpp"
#include "support/pollers.hpp"

namespace offloop::testing {

/// Does what it is told when it hears something, and counts. Must be removed before it goes.
struct Lookout : Watcher {
  std::function<void()> work = [] {};
  Readiness last;
  std::atomic<bool> is_busy{false};
  std::atomic<int> heard{0};

  static bool hear(Watcher& watcher, Readiness found) noexcept {
    auto& self = static_cast<Lookout&>(watcher);
    self.last = found;
    self.work();
    ++self.heard;
    return !self.is_busy;
  }
  bool hears(int times = 1) {
    return eventually([&] { return heard >= times; });
  }
};

/// Returns when the reactor has told whatever was ready before.
inline void settle() {
  Sockets sockets;
  sockets.send(1);
  Lookout one;
  EXPECT_EQ(Reactor::shared().watch(one, sockets[0], Interest::readable, Trigger::once, Lookout::hear), 0);
  EXPECT_TRUE(one.hears());
  // What was ready came with that, and what came with that has been told once this comes.
  EXPECT_EQ(Reactor::shared().rewatch(one, Interest::readable), 0);
  EXPECT_TRUE(one.hears(2));
  Reactor::shared().unwatch(one);
}

}  // namespace offloop::testing
