#include "core/waits.hpp"

#include <cerrno>
#include <new>

#include "base/patient_lock.hpp"

namespace offloop {

Waits::~Waits() {
  for (const auto& wait : waits_) {
    if (wait->is_watched) Reactor::shared().unwatch(*wait);
    Reactor::shared().disarm(*wait);
  }
}

int Waits::begin(std::optional<Descriptor> fd, Interest interest, Kind kind, int64_t due_ns,
                 uint32_t& number) noexcept {
  Wait* wait = nullptr;
  try {
    wait = &open(kind);
  } catch (const std::bad_alloc&) {
    return ENOMEM;
  }
  number = wait->number;
  const int error = start(*wait, fd, interest, due_ns);
  if (error) end(number);
  return error;
}

Waits::Wait& Waits::open(Kind kind) {
  if (free_.empty()) {
    free_.reserve(waits_.size() + 1);
    auto wait = std::make_unique<Wait>();
    wait->owner = this;
    wait->number = static_cast<uint32_t>(waits_.size());
    waits_.push_back(std::move(wait));
    free_.push_back(waits_.back()->number);
  }
  Wait& wait = *waits_[free_.back()];
  free_.pop_back();
  wait.kind = kind;
  return wait;
}

int Waits::start(Wait& wait, std::optional<Descriptor> fd, Interest interest, int64_t due_ns) noexcept {
  if (fd) {
    const auto trigger = wait.kind == Kind::edge ? Trigger::edge : Trigger::once;
    if (int error = Reactor::shared().watch(wait, *fd, interest, trigger, on_ready)) return error;
    wait.is_watched = true;
  }
  return due_ns == Timer::kNever ? 0 : Reactor::shared().arm(wait, due_ns, on_time);
}

int Waits::again(uint32_t number, Interest interest) noexcept {
  return Reactor::shared().rewatch(*waits_[number], interest);
}

void Waits::end(uint32_t number) noexcept {
  Wait& wait = *waits_[number];
  if (wait.is_watched) Reactor::shared().unwatch(wait);
  wait.is_watched = false;
  Reactor::shared().disarm(wait);
  {
    PatientLock lock(mutex_);
    arrived_.remove(wait);
  }
  wait.what = 0;
  free_.push_back(number);
}

size_t Waits::take(std::span<Event> events) noexcept {
  size_t count = 0;
  bool has_more = false;
  {
    PatientLock lock(mutex_);
    while (count < events.size()) {
      Wait* const wait = arrived_.pop();
      if (!wait) break;
      events[count++] = {wait->number, wait->what};
      wait->what = 0;
    }
    has_more = !arrived_.empty();
  }
  if (has_more) signal_->raise();
  // Not with the lock held: whoever is arriving needs it, and is waited for.
  for (const Event& event : events.first(count)) {
    if (waits_[event.number]->kind == Kind::once) end(event.number);
  }
  return count;
}

bool Waits::on_ready(Watcher& watcher, Readiness found) noexcept {
  Wait& wait = static_cast<Wait&>(watcher);
  return wait.owner->arrive(
      wait, (found.readable ? kReadable : 0) | (found.writable ? kWritable : 0) | (found.hung_up ? kHungUp : 0));
}

void Waits::on_time(Timer& timer) noexcept {
  Wait& wait = static_cast<Wait&>(timer);
  wait.owner->arrive(wait, kTimeIsUp);
}

bool Waits::arrive(Wait& wait, uint32_t what) noexcept {
  {
    PatientLock lock(mutex_);
    const bool is_first = wait.what == 0;
    wait.what |= what;
    if (!is_first) return false;
    arrived_.append(wait);
  }
  return signal_->raise();
}

}  // namespace offloop
