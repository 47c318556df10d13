// Waiting for many things at once: the face that every mechanism below this folder shows.
//
// A mechanism is a pair of classes with the members described here, chosen in select.hpp:
//
//   class XPoller {
//     static constexpr std::chrono::nanoseconds kForever;
//     static std::unique_ptr<XPoller> open(int& error);        // nullptr: `error` is an errno
//     int watch(Descriptor fd, Interest interest, void* tag);  // level-triggered; 0 or an errno
//     int unwatch(Descriptor fd);                              // 0 or an errno
//     size_t wait(std::span<Ready> ready, nanoseconds timeout); // blocks; 0: the time is up, or a signal came
//   };
//   class XWake {
//     static std::unique_ptr<XWake> open(XPoller& poller, int& error);  // a ring ends poller's wait
//     void ring() noexcept;   // thread: any; rings coalesce until clear()
//     void clear() noexcept;  // thread: the one that waits
//   };
//
// Thread: one thread waits; watch, unwatch and ring may come from any. Lifetime: a wake handle goes before its poller.
#pragma once

#include <chrono>
#include <cstdint>

namespace offloop {

using Descriptor = int;

enum class Interest : uint8_t { readable = 1, writable = 2, both = 3 };

/// One thing that became ready. A wake handle shows up with the tag nullptr.
struct Ready {
  void* tag;
  bool readable;
  bool writable;
};

/// Milliseconds for calls that count in them, rounded up so that nothing fires early. -1 means for ever.
inline int to_milliseconds(std::chrono::nanoseconds timeout) noexcept {
  if (timeout == std::chrono::nanoseconds::max()) return -1;
  if (timeout.count() <= 0) return 0;
  if (timeout > std::chrono::milliseconds(INT32_MAX)) return INT32_MAX;
  return static_cast<int>((timeout.count() + 999'999) / 1'000'000);
}

}  // namespace offloop
