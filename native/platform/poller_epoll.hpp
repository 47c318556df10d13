// The poller of Linux.
#pragma once

#include <memory>
#include <mutex>
#include <span>

#include "platform/watches_posix.hpp"

namespace offloop {

class EpollPoller {
 public:
  static constexpr const char* kName = "epoll";
  static constexpr std::chrono::nanoseconds kForever = std::chrono::nanoseconds::max();

  static std::unique_ptr<EpollPoller> open(int& error);
  ~EpollPoller();
  EpollPoller(const EpollPoller&) = delete;

  int watch(Descriptor fd, Interest interest, void* tag, Trigger trigger = Trigger::level) noexcept;
  int rewatch(Descriptor fd, Interest interest, void* tag, Trigger trigger) noexcept;
  int unwatch(Descriptor fd) noexcept;
  size_t wait(std::span<Ready> ready, std::chrono::nanoseconds timeout) noexcept;

 private:
  EpollPoller() = default;

  int control(int operation, Descriptor fd, const Watch& watch) noexcept;

  int epoll_ = -1;
  std::mutex mutex_;
  Watches watches_;
};

}  // namespace offloop
