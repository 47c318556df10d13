#include "core/shared_wake.hpp"

#include <atomic>
#include <unordered_map>

#include "base/patient_lock.hpp"

namespace offloop {
namespace {

struct Directory {
  std::mutex mutex;
  std::unordered_map<uint64_t, std::weak_ptr<SharedWake>> wakes;  // by number
};
// Never destroyed: other threads may let go of a wake while static destructors run.
Directory& directory() {
  static Directory* const it = new Directory;
  return *it;
}

}  // namespace

std::shared_ptr<SharedWake> SharedWake::open() {
  static std::atomic<uint64_t> last_number{0};
  // Made before the lock is taken: where there is no memory it ends here, and its end takes the lock.
  // relaxed: a number, and nothing else
  std::shared_ptr<SharedWake> wake(new SharedWake(last_number.fetch_add(1, std::memory_order_relaxed) + 1));
  std::lock_guard lock(directory().mutex);
  directory().wakes.emplace(wake->number(), wake);
  return wake;
}

std::shared_ptr<SharedWake> SharedWake::find(uint64_t number) noexcept {
  std::lock_guard lock(directory().mutex);
  const auto at = directory().wakes.find(number);
  return at == directory().wakes.end() ? nullptr : at->second.lock();
}

SharedWake::~SharedWake() {
  std::lock_guard lock(directory().mutex);
  directory().wakes.erase(number_);
}

void SharedWake::ring() noexcept {
  PatientLock lock(mutex_);
  ++counts_.rings;
  while (Listener* listener = waiting_.pop()) listener->on_ring();
}

void SharedWake::leave(Listener& listener) noexcept {
  PatientLock lock(mutex_);
  waiting_.remove(listener);
}

bool SharedWake::look(Listener& listener) noexcept {
  PatientLock lock(mutex_);
  if (listener.seen_ == counts_.rings) {
    if (!waiting_.has(listener)) waiting_.append(listener);
    return false;
  }
  listener.seen_ = counts_.rings;
  waiting_.remove(listener);
  ++counts_.wake_ups;
  return true;
}

SharedWake::Counts SharedWake::counts() noexcept {
  PatientLock lock(mutex_);
  return counts_;
}

}  // namespace offloop
