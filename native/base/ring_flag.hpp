// What makes rings of a wake handle coalesce before they reach the system.
#pragma once

#include <atomic>

namespace offloop {

/// Raised by the first ring since the waiting thread looked; the others find it raised and have nothing to do. It is lowered
/// before the waiting thread looks, and after it has taken from the system what the ring left there: the other way round, a
/// ring in between would be taken along, and its flag would silence all that follow.
class RingFlag {
 public:
  /// True: the system must be told. Thread: any.
  bool raise() noexcept {
    // acq_rel: both are read-modify-writes of one word, so one comes first. If this does, lower() reads from it, directly or
    // through others that raised, and sees what was published before; if lower() does, this returns true.
    return !raised_.exchange(true, std::memory_order_acq_rel);
  }
  /// Thread: the one that waits.
  void lower() noexcept { raised_.exchange(false, std::memory_order_acq_rel); }  // acq_rel: as above

 private:
  std::atomic<bool> raised_{false};
};

}  // namespace offloop
