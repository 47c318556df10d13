#include "core/signal.hpp"

#include "base/patient_lock.hpp"

namespace offloop {

bool Signal::raise() noexcept {
  Mailbox* home = nullptr;
  bool must_ring = false;
  {
    PatientLock lock(mutex_);
    if (!home_ || under_way_) return false;
    home = home_;
    under_way_ = shared_from_this();
    must_ring = home->put_notice(*this);  // never refused: it is closed before the mailbox
  }
  if (must_ring) home->ring();
  return true;
}

void Signal::close() noexcept {
  PatientLock lock(mutex_);
  home_ = nullptr;
}

std::shared_ptr<Signal> Signal::arrive() noexcept {
  PatientLock lock(mutex_);
  return std::move(under_way_);
}

}  // namespace offloop
