#if defined(__APPLE__) || defined(__FreeBSD__)

#include "platform/wake_kqueue.hpp"

#include <sys/event.h>
#include <sys/time.h>
#include <sys/types.h>

#include <cerrno>

namespace offloop {

std::unique_ptr<KqueueWake> KqueueWake::open(KqueuePoller& poller, int& error, void* tag) {
  std::unique_ptr<KqueueWake> wake(new KqueueWake(poller, tag));
  error = wake->change(EV_ADD | EV_CLEAR, 0);
  return error ? nullptr : std::move(wake);
}

KqueueWake::~KqueueWake() { change(EV_DELETE, 0); }

void KqueueWake::ring() noexcept {
  if (rung_.raise()) change(0, NOTE_TRIGGER);
}

int KqueueWake::change(unsigned flags, unsigned notes) noexcept {
  struct kevent change;
  EV_SET(&change, reinterpret_cast<uintptr_t>(this), EVFILT_USER, static_cast<decltype(change.flags)>(flags), notes, 0,
         tag_);  // which each change sets anew
  // A change has been made when a signal interrupts the call.
  return kevent(poller_.queue(), &change, 1, nullptr, 0, nullptr) == 0 || errno == EINTR ? 0 : errno;
}

}  // namespace offloop

#endif
