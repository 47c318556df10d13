// A scoped lock for critical sections of tens of nanoseconds.
#pragma once

#include <mutex>

#include "base/cpu.hpp"

namespace offloop {

/// Spins briefly before it blocks: sleeping on a mutex that is free again in 50 ns costs a wake-up of 20–40 µs, and the
/// loop's thread is often the one that would pay it.
class PatientLock {
 public:
  explicit PatientLock(std::mutex& mutex) : mutex_(mutex) { lock(); }
  ~PatientLock() {
    if (held_) unlock();
  }
  PatientLock(const PatientLock&) = delete;

  void lock() {
    for (int spin = 0; spin < kSpins; ++spin) {
      if (mutex_.try_lock()) {
        held_ = true;
        return;
      }
      cpu_relax();
    }
    mutex_.lock();
    held_ = true;
  }
  void unlock() {
    held_ = false;
    mutex_.unlock();
  }

 private:
  static constexpr int kSpins = 100;
  std::mutex& mutex_;
  bool held_ = false;
};

}  // namespace offloop
