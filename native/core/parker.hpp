// How one thread sleeps until another wakes it.
#pragma once

#include <atomic>
#include <cstdint>

#include "platform/park.hpp"

namespace offloop {

/// Keeps one wake-up, however many there were.
class Parker {
 public:
  /// Sleeps until `unpark()`, which may have come first. Thread: one owner. Blocks.
  void park() noexcept {
    // acquire: what the waker did before it woke us has happened
    while (wanted_.exchange(0, std::memory_order_acquire) == 0) wait_while(wanted_, 0);
  }
  /// Thread: any.
  void unpark() noexcept {
    wanted_.store(1, std::memory_order_release);  // see park
    wake_one(wanted_);
  }

 private:
  std::atomic<uint32_t> wanted_{0};
};

}  // namespace offloop
