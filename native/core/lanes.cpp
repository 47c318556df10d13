#include "core/lanes.hpp"

#include <algorithm>

namespace offloop {
namespace {

int64_t rounded_up(int64_t value, int64_t unit) noexcept { return value / unit + (value % unit > 0); }

}  // namespace

int64_t Lanes::earliest_deadline() const noexcept {
  int64_t earliest = Timer::kNever;
  for (uint32_t left = occupied_ & kUrgentBits; left; left &= left - 1) {
    earliest = std::min(earliest, urgent_[std::countr_zero(left) / 2].top()->due_ns);
  }
  return earliest;
}

uint32_t Lanes::pick_by_age(int64_t now_ns) noexcept {
  uint32_t best = 0;
  int64_t best_level = INT64_MAX;
  int64_t best_since = INT64_MAX;
  bool best_urgent = false;
  for (uint32_t left = occupied_; left; left &= left - 1) {
    const auto queue = static_cast<uint32_t>(std::countr_zero(left));
    const bool urgent = queue % 2 == 0;
    // When it comes, or came, into the first lane. Those who have risen equally far are in one lane, whatever they began in.
    const int64_t since = first_of(queue)->accepted_ns + queue / 2 * aging_ns_;
    const int64_t level = rounded_up(since - now_ns, aging_ns_);
    const bool goes_first = level != best_level     ? level < best_level
                            : urgent != best_urgent ? urgent
                                                    : since <= best_since;  // then it is older: its lane is a later one
    if (!goes_first) continue;
    best = queue;
    best_level = level;
    best_since = since;
    best_urgent = urgent;
  }
  return best;
}

Task* Lanes::pop_late(int64_t now_ns) noexcept {
  for (uint32_t left = occupied_ & kUrgentBits; left; left &= left - 1) {
    const auto queue = static_cast<uint32_t>(std::countr_zero(left));
    if (urgent_[queue / 2].top()->due_ns <= now_ns) return take(queue);
  }
  return nullptr;
}

Task* Lanes::pop_least(uint8_t lane, bool urgent) noexcept {
  const uint32_t last = static_cast<uint32_t>(std::bit_width(occupied_) - 1) / 2;
  if (occupied_ == 0 || last < lane) return nullptr;
  if (!fifos_[last].empty()) return take(2 * last + 1);
  // Of those with deadlines, the latest would have to be searched for: they are given up last, the next one first.
  return last > lane || urgent ? take(2 * last) : nullptr;
}

void Lanes::remove(Task* task) noexcept {
  const uint8_t lane = task->lane;
  if (task->urgent) {
    urgent_[lane].remove(task);
  } else {
    fifos_[lane].remove(task);
  }
  took(task, 2u * lane + !task->urgent);
}

}  // namespace offloop
