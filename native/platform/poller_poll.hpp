// The poller of every POSIX system: the fallback.
#pragma once

#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include "platform/poller.hpp"

namespace offloop {

class PollPoller {
 public:
  static constexpr std::chrono::nanoseconds kForever = std::chrono::nanoseconds::max();

  static std::unique_ptr<PollPoller> open(int& error);
  PollPoller(const PollPoller&) = delete;

  /// Takes effect at the next wait: a wait that is under way does not see it. Throws nothing; ENOMEM is an answer.
  int watch(Descriptor fd, Interest interest, void* tag) noexcept;
  int unwatch(Descriptor fd) noexcept;
  size_t wait(std::span<Ready> ready, std::chrono::nanoseconds timeout) noexcept;

 private:
  struct Watched {
    Descriptor fd;
    Interest interest;
    void* tag;
  };

  PollPoller() = default;

  std::mutex mutex_;
  std::vector<Watched> watched_;
};

}  // namespace offloop
