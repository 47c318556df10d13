// The wake handle of macOS and the BSDs: an event of the queue itself, without a descriptor.
#pragma once

#include <memory>

#include "base/ring_flag.hpp"
#include "platform/poller_kqueue.hpp"

namespace offloop {

class KqueueWake {
 public:
  static std::unique_ptr<KqueueWake> open(KqueuePoller& poller, int& error, void* tag = nullptr);
  ~KqueueWake();
  KqueueWake(const KqueueWake&) = delete;

  void ring() noexcept;
  /// A wait takes the ring along with it, so there is nothing to do but to let the next one through.
  void clear() noexcept { rung_.lower(); }

 private:
  KqueueWake(KqueuePoller& poller, void* tag) noexcept : poller_(poller), tag_(tag) {}

  /// 0 or an errno.
  int change(unsigned flags, unsigned notes) noexcept;

  KqueuePoller& poller_;
  void* const tag_;
  RingFlag rung_;
};

}  // namespace offloop
