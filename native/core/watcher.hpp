// Somebody who waits for a descriptor.
#pragma once

#include "base/linked_list.hpp"
#include "platform/poller.hpp"

namespace offloop {

/// What a watcher is told: some of what it asked for, and whether the descriptor is broken or its other end gone.
struct Readiness {
  bool readable = false;
  bool writable = false;
  bool hung_up = false;
};

/// In at most one Watchers at a time, whose lock guards it. Owned by whoever waits, who removes it before it goes.
struct Watcher {
  /// Returns false if whoever hears of it is busy with what it was told before, and so looks at this later anyway.
  using Tell = bool(Watcher&, Readiness) noexcept;

  uintptr_t serial = 0;  // of what it watches; 0: nothing
  Interest interest = Interest::readable;
  bool armed = false;    // wants to be told
  bool by_edge = false;  // stays armed when it has been told
  Readiness found;       // and not yet told
  Tell* tell = nullptr;
  Place<Watcher> beside;  // among those of the same descriptor
  Place<Watcher> due;     // among those to be told
};

}  // namespace offloop
