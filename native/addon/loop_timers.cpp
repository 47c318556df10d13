#include "addon/loop_timers.hpp"

#include <algorithm>
#include <new>

#include "base/cpu.hpp"

namespace offloop {

bool LoopTimers::arm(Timer& timer, int64_t due_ns, Expire* expire) noexcept {
  if (timer.heap_index != DeadlineHeap<Timer>::kOutside) {
    if (timer.due_ns <= due_ns) return true;
    armed_.remove(&timer);
  }
  timer.due_ns = due_ns;
  timer.expire = expire;
  try {
    armed_.add(&timer);
  } catch (const std::bad_alloc&) {
    return false;
  }
  plan();
  return true;
}

bool LoopTimers::disarm(Timer& timer) noexcept {
  const bool was_armed = armed_.remove(&timer);
  if (armed_.empty()) plan();
  return was_armed;
}

void LoopTimers::clear() noexcept {
  while (!armed_.empty()) armed_.pop();
  plan();
}

void LoopTimers::expire_due() noexcept {
  goes_off_ns_ = Timer::kNever;
  const int64_t now = steady_ns();
  while (!armed_.empty() && armed_.top()->due_ns <= now) {
    Timer* due = armed_.pop();
    due->expire(*due);
  }
  plan();
}

void LoopTimers::plan() noexcept {
  const int64_t earliest = armed_.empty() ? Timer::kNever : armed_.top()->due_ns;
  if (earliest == Timer::kNever ? goes_off_ns_ == Timer::kNever : earliest >= goes_off_ns_) return;
  goes_off_ns_ = earliest;
  doorbell_.set_timer(earliest == Timer::kNever ? Timer::kNever : std::max<int64_t>(earliest - steady_ns(), 0));
}

}  // namespace offloop
