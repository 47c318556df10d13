// The poller of Linux.
#pragma once

#include <memory>
#include <span>

#include "platform/poller.hpp"

namespace offloop {

class EpollPoller {
 public:
  static constexpr std::chrono::nanoseconds kForever = std::chrono::nanoseconds::max();

  static std::unique_ptr<EpollPoller> open(int& error);
  ~EpollPoller();
  EpollPoller(const EpollPoller&) = delete;

  int watch(Descriptor fd, Interest interest, void* tag) noexcept;
  int unwatch(Descriptor fd) noexcept;
  size_t wait(std::span<Ready> ready, std::chrono::nanoseconds timeout) noexcept;

 private:
  explicit EpollPoller(int fd) noexcept : epoll_(fd) {}

  const int epoll_;
};

}  // namespace offloop
