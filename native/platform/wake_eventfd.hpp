// Linux's wake handle: one eventfd.
#pragma once

#include <memory>

#include "platform/poller_epoll.hpp"

namespace offloop {

class EventfdWake {
 public:
  static std::unique_ptr<EventfdWake> open(EpollPoller& poller, int& error);
  ~EventfdWake();
  EventfdWake(const EventfdWake&) = delete;

  void ring() noexcept;
  void clear() noexcept;

 private:
  EventfdWake(EpollPoller& poller, int fd) noexcept : poller_(poller), fd_(fd) {}

  EpollPoller& poller_;
  const int fd_;
};

}  // namespace offloop
