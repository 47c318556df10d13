// What a poller of a POSIX system watches, looked up by number.
#pragma once

#include <vector>

#include "platform/poller.hpp"

namespace offloop {

/// One descriptor that is watched.
struct Watch {
  void* tag = nullptr;
  /// A new one whenever what is asked for changes, so that what a wait has found for an earlier watcher of the same number
  /// is recognized. 0: nobody watches.
  uint32_t serial = 0;
  Interest interest = Interest::readable;
  Trigger trigger = Trigger::level;
  /// Has been told as often as it may be. For pollers whose system does not remember that.
  bool silent = false;
  /// A pipe to nobody, of which the system keeps nothing. For kqueue.
  bool is_broken = false;
};

/// Numbers of descriptors are small, so this is an array.
/// Thread: the poller's lock is held.
class Watches {
 public:
  Watch make(void* tag, Interest interest, Trigger trigger) noexcept;
  /// 0 or ENOMEM; never the latter for a number that is watched already.
  int put(Descriptor fd, const Watch& watch) noexcept;
  /// nullptr: it is not watched.
  Watch* find(Descriptor fd) noexcept;
  /// nullptr: what had this serial is no longer watched.
  Watch* find(Descriptor fd, uint32_t serial) noexcept;
  /// False: it was not watched.
  bool remove(Descriptor fd) noexcept;

  /// No number is as great as this.
  size_t end() const noexcept { return watches_.size(); }

 private:
  std::vector<Watch> watches_;
  uint32_t last_serial_ = 0;
};

/// EPERM: a file or a directory, which Linux refuses to watch, as everybody shall. Else 0, or why it cannot be known.
int watchable(Descriptor fd) noexcept;

}  // namespace offloop
