// Waiting for many things at once: the face that every mechanism below this folder shows.
//
// A mechanism is a pair of classes with the members described here, chosen in select.hpp:
//
//   class XPoller {
//     static constexpr const char* kName;                      // "epoll", "kqueue", "iocp", "poll"
//     static constexpr std::chrono::nanoseconds kForever;
//     static std::unique_ptr<XPoller> open(int& error);        // nullptr: `error` is an errno
//     int watch(Descriptor fd, Interest interest, void* tag, Trigger trigger = Trigger::level);
//     int rewatch(Descriptor fd, Interest interest, void* tag, Trigger trigger);
//     int unwatch(Descriptor fd);
//     size_t wait(std::span<Ready> ready, nanoseconds timeout);
//   };
//   class XWake {
//     static std::unique_ptr<XWake> open(XPoller& poller, int& error, void* tag = nullptr);  // a ring ends poller's wait
//     void ring() noexcept;   // thread: any; rings coalesce until clear()
//     void clear() noexcept;  // thread: the one that waits, which clears first and then looks what the ring was for
//   };
//
// watch, rewatch and unwatch return 0 or an errno, and take effect on a wait that is under way:
//   EEXIST   watch: it is watched already
//   ENOENT   rewatch, unwatch: it is not watched
//   EPERM    watch: a file, a directory or a device that is always ready. They never block, so there is nothing to wait for
//   ENOTSUP  the trigger is one that this system has not
//   EBADF    it is closed; rewatch: it was, and its number may be another's by now, which poll cannot tell
//   ENOMEM, …  as the system says
// rewatch changes what is watched for, and looks again: what is ready already is told (again), whatever the trigger.
//
// wait blocks until something is ready, for `timeout` at most, and returns how much it has written to `ready`: no more than
// fits, and never more than 64; others that are ready have their turn in the next waits. 0: the time is up, a signal came,
// or what came is no longer watched. A descriptor takes one place, unless its two directions become ready one after the
// other.
//
// Thread: one thread waits; everything else may come from any. What a wait has found just before another thread's unwatch
// may still be told after it. Lifetime: a wake handle goes before its poller; a descriptor is unwatched before it is closed.
// One that is closed while it is watched is told of no more, and its number can be watched anew after an unwatch.
#pragma once

#include <chrono>
#include <cstdint>

#include "platform/descriptor.hpp"

namespace offloop {

enum class Interest : uint8_t { readable = 1, writable = 2, both = 3 };

constexpr bool includes(Interest asked, Interest one) noexcept {
  return (static_cast<int>(asked) & static_cast<int>(one)) != 0;
}

enum class Trigger : uint8_t {
  level,  // told by every wait while it holds
  edge,   // told once each time it becomes true; poll and IOCP cannot
  once,   // told once, then silent, but still watched, until rewatch
};

/// One thing that became ready. A wake handle shows up as readable, with the tag nullptr unless it was given another.
struct Ready {
  void* tag;
  bool readable;
  bool writable;
  /// An error, or the other end is gone; some systems say so when it has only finished writing. What was asked for is then
  /// set as well, so that the next read or write tells.
  bool hung_up;
};

/// Milliseconds for calls that count in them, rounded up so that nothing fires early. -1 means for ever.
inline int to_milliseconds(std::chrono::nanoseconds timeout) noexcept {
  if (timeout == std::chrono::nanoseconds::max()) return -1;
  if (timeout.count() <= 0) return 0;
  if (timeout > std::chrono::milliseconds(INT32_MAX)) return INT32_MAX;
  return static_cast<int>((timeout.count() + 999'999) / 1'000'000);
}

}  // namespace offloop
