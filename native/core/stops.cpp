#include "core/stops.hpp"

#include <mutex>

#include "base/patient_lock.hpp"
#include "offloop/task.hpp"

namespace offloop {

/// Those that wait now: few, since each holds a thread.
struct OnStops {
  std::mutex mutex;
  OnStop* first = nullptr;

  /// Never destroyed: bodies may still wait while static destructors run.
  static OnStops& all() noexcept {
    static OnStops* const it = new OnStops;
    return *it;
  }

  /// With the lock held, so that none of them goes meanwhile.
  void wake(const Task* task) noexcept {
    PatientLock lock(mutex);
    for (OnStop* each = first; each; each = each->next_) {
      if (!task || &each->task_ == task) each->wake_(each->what_);
    }
  }

  void add(OnStop& waits) noexcept {
    PatientLock lock(mutex);
    waits.next_ = first;
    waits.link_ = &first;
    if (first) first->link_ = &waits.next_;
    first = &waits;
  }

  void remove(OnStop& waits) noexcept {
    PatientLock lock(mutex);
    *waits.link_ = waits.next_;
    if (waits.next_) waits.next_->link_ = waits.link_;
  }
};

OnStop::OnStop(const Call& call, Wake wake, void* what) noexcept : task_(call.task_), wake_(wake), what_(what) {
  OnStops::all().add(*this);
  // Whoever stops the task sets its flag and then takes the lock: so either the flag is seen here, or this is found there.
  if (call.stopped()) wake_(what_);
}

OnStop::~OnStop() { OnStops::all().remove(*this); }

namespace stops {

void raise(const Task& task) noexcept { OnStops::all().wake(&task); }
void raise_all() noexcept { OnStops::all().wake(nullptr); }

}  // namespace stops
}  // namespace offloop
