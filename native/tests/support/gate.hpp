// Tests wait for events, never for time to pass; and no wait lasts for ever.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>

namespace offloop::testing {

/// Longer than anything takes on a busy machine under a sanitizer: only a test that is about to fail waits this long.
inline constexpr std::chrono::seconds kPatience{30};

/// Opens once and stays open.
class Gate {
 public:
  void open() {
    std::lock_guard lock(mutex_);
    open_ = true;
    opened_.notify_all();
  }
  /// False: it did not open in time.
  bool wait() {
    std::unique_lock lock(mutex_);
    return opened_.wait_for(lock, kPatience, [this] { return open_; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable opened_;
  bool open_ = false;
};

/// For what has no event of its own. False: it did not become true in time.
template <class Condition>
bool eventually(Condition&& condition) {
  const auto end = std::chrono::steady_clock::now() + kPatience;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::yield();
  }
  return true;
}

}  // namespace offloop::testing
