// Windows' wake handle: a completion of our own making.
#pragma once

#include <memory>

#include "platform/poller_iocp.hpp"

namespace offloop {

class IocpWake {
 public:
  static std::unique_ptr<IocpWake> open(IocpPoller& poller, int& error, void* tag = nullptr);
  ~IocpWake();
  IocpWake(const IocpWake&) = delete;

  void ring() noexcept;
  void clear() noexcept;

 private:
  IocpWake(IocpPoller& poller, IocpPoller::Bell& bell) noexcept : poller_(poller), bell_(bell) {}

  IocpPoller& poller_;
  IocpPoller::Bell& bell_;
};

}  // namespace offloop
