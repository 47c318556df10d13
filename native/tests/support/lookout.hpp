// Watchers for tests.
#pragma once

#include <atomic>
#include <functional>

#include "core/watcher.hpp"
#include "support/gate.hpp"

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

}  // namespace offloop::testing
