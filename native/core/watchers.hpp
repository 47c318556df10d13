// Who waits for which descriptor of one poller.
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <span>
#include <unordered_map>

#include "core/watcher.hpp"
#include "platform/select.hpp"

namespace offloop {

/// Lets any number of watchers share a descriptor, which a poller knows once, and tells each of them once for each time it is
/// armed, so that what nobody reads keeps nobody busy. What has been found for a descriptor that is watched no more is told
/// to nobody, whatever has its number by then.
///
/// Thread: one calls `tell`, after each of the poller's waits; everything else may come from any, also from inside a
/// watcher's `tell`, which runs on that one thread and without a lock. Errors: positive errnos.
class Watchers {
 public:
  explicit Watchers(Poller& poller) noexcept : poller_(poller) {}
  Watchers(const Watchers&) = delete;

  /// Arms it. With Trigger::once it is told once, then silent until it is armed again. With Trigger::edge it stays armed, and
  /// may be told more often than the descriptor changes while others wait for the same one. EPERM: a file or a directory;
  /// ENOTSUP: a trigger that the poller has not.
  int add(Watcher& watcher, Descriptor fd, Interest interest, Trigger trigger, Watcher::Tell* tell) noexcept;
  /// Looks anew: what is ready already is told. EBADF: the descriptor was closed meanwhile; ECANCELED: it has been removed.
  int arm(Watcher& watcher, Interest interest) noexcept;
  /// After it returns nothing is being told, and nothing will be. Waits for a `tell` of this watcher that runs on another
  /// thread. Without effect on one that was never added.
  void remove(Watcher& watcher) noexcept;

  /// Tells what a wait has found. Returns false if it was told to those alone who are busy: see Watcher::Tell.
  bool tell(std::span<const Ready> ready) noexcept;

 private:
  using Siblings = LinkedList<Watcher, &Watcher::beside>;

  /// A descriptor, from its first watcher to its last.
  struct Watched {
    Descriptor fd;
    unsigned asked = 0;  // bits of Interest: what the poller still has to tell
    bool by_edge = false;
    Siblings watchers;
  };

  /// A new descriptor in the tables and the poller. Runs with the lock held, as the following do.
  int begin(Watcher& watcher, Descriptor fd) noexcept;
  /// Has the poller tell what the watcher waits for, too.
  int ask(Watched& watched, uintptr_t serial, const Watcher& watcher) noexcept;
  void note(const Ready& ready) noexcept;

  Poller& poller_;
  std::mutex mutex_;
  /// Serials, not descriptors, are what the poller reports: those are used again.
  std::unordered_map<uintptr_t, Watched> watched_;
  std::unordered_map<Descriptor, uintptr_t> serials_;
  uintptr_t last_serial_ = 0;
  LinkedList<Watcher, &Watcher::due> due_;
  std::atomic<const void*> telling_{nullptr};  // a watcher that its owner may have let go of
};

}  // namespace offloop
