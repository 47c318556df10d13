#if defined(_WIN32)

#include "platform/wake_iocp.hpp"

namespace offloop {

std::unique_ptr<IocpWake> IocpWake::open(IocpPoller& poller, int& error, void* tag) {
  error = 0;
  std::lock_guard lock(poller.mutex_);
  IocpPoller::Bell& bell = poller.bells_.emplace_back(tag);
  return std::unique_ptr<IocpWake>(new IocpWake(poller, bell));
}

IocpWake::~IocpWake() {
  std::lock_guard lock(poller_.mutex_);
  poller_.let_go(bell_);
}

void IocpWake::ring() noexcept {
  if (!bell_.rung.exchange(true)) poller_.post(bell_);
}

void IocpWake::clear() noexcept {
  bell_.rung.exchange(false);
}  // what was published before the ring is seen after this

}  // namespace offloop

#endif
