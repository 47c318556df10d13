// Linux's wake handle: one eventfd.
#pragma once

#include <memory>

#include "base/ring_flag.hpp"
#include "platform/poller_epoll.hpp"

namespace offloop {

/// Watched by edges: a wait takes a ring along with it, so that nobody ever has to read the counter. It holds 2⁶⁴ − 2.
class EventfdWake {
 public:
  static std::unique_ptr<EventfdWake> open(EpollPoller& poller, int& error, void* tag = nullptr);
  ~EventfdWake();
  EventfdWake(const EventfdWake&) = delete;

  void ring() noexcept;
  void clear() noexcept { rung_.lower(); }

 private:
  explicit EventfdWake(EpollPoller& poller) noexcept : poller_(poller) {}

  EpollPoller& poller_;
  int fd_ = -1;
  RingFlag rung_;
};

}  // namespace offloop
