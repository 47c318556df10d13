// The waiting tasks of one pool, by priority, deadline and age.
#pragma once

#include <array>
#include <bit>
#include <cstdint>

#include "core/lane.hpp"

namespace offloop {

/// Priorities 0 (first) to 255 (last) on eight lanes: a lane is 32 priorities wide. In a lane, tasks with deadlines go
/// first, the earliest before the rest; the others first in, first out.
///
/// Waiting tasks rise: one lane for each `aging_ns` that they wait, and on beyond the first lane. So a task of lane L
/// without a deadline is overtaken only by tasks that are accepted less than (L + 1) * aging_ns after it (L * aging_ns by
/// those without a deadline), and nothing starves; one with a deadline waits no longer than that. Nobody is moved for it:
/// all rise at the same pace, so comparing the first of each queue when one is needed gives the same order.
///
/// Thread: guarded by the pool's lock. Units: nanoseconds of the steady clock.
class Lanes {
 public:
  static constexpr uint32_t kLanes = 8;
  static constexpr uint8_t lane_of(uint8_t priority) noexcept { return priority / (256 / kLanes); }

  explicit Lanes(int64_t aging_ns) noexcept : aging_ns_(aging_ns) {}

  size_t size() const noexcept { return size_; }
  /// Waiting tasks that are not brief: each deserves a thread of its own.
  size_t long_ones() const noexcept { return size_ - brief_; }
  size_t depth(uint32_t lane) const noexcept { return fifos_[lane].size() + urgent_[lane].size(); }
  /// Timer::kNever where no task has one.
  int64_t earliest_deadline() const noexcept;

  /// Puts the task into `task->lane`, by its deadline `due_ns` if it is urgent. Throws std::bad_alloc, and has then changed
  /// nothing.
  void push(Task* task) {
    const uint8_t lane = task->lane;
    if (!task->urgent) {
      fifos_[lane].push(task);
      occupied_ |= fifo_bit(lane);
    } else {
      urgent_[lane].add(task);
      occupied_ |= urgent_bit(lane);
    }
    ++size_;
    brief_ += task->brief;
  }
  /// The next task, which must exist.
  Task* pop(int64_t now_ns) noexcept { return take(pick(now_ns)); }
  /// The next task if it is brief and has no deadline, else nullptr: it will begin a little later than now.
  Task* pop_brief(int64_t now_ns) noexcept {
    const uint32_t queue = pick(now_ns);
    return queue % 2 && first_of(queue)->brief ? take(queue) : nullptr;
  }
  /// One whose deadline has passed, or nullptr.
  Task* pop_late(int64_t now_ns) noexcept;
  /// The one that has waited longest in the last lane, to make room for a task of `lane`, which is `urgent` if it has a
  /// deadline; nullptr when all that wait go before such a task.
  Task* pop_least(uint8_t lane, bool urgent = true) noexcept;
  void remove(Task* task) noexcept;

 private:
  // A queue's number is twice its lane's, plus one for the FIFO: so the lowest bit goes first.
  static constexpr uint32_t urgent_bit(uint32_t lane) noexcept { return 1u << (2 * lane); }
  static constexpr uint32_t fifo_bit(uint32_t lane) noexcept { return 2u << (2 * lane); }
  static constexpr uint32_t kUrgentBits = 0x5555;

  uint32_t pick(int64_t now_ns) noexcept {
    if (std::has_single_bit(occupied_)) return static_cast<uint32_t>(std::countr_zero(occupied_));
    return pick_by_age(now_ns);
  }
  uint32_t pick_by_age(int64_t now_ns) noexcept;
  Task* first_of(uint32_t queue) noexcept {
    return queue % 2 ? fifos_[queue / 2].front() : static_cast<Task*>(urgent_[queue / 2].top());
  }
  Task* take(uint32_t queue) noexcept {
    Task* task = first_of(queue);
    if (queue % 2) {
      fifos_[queue / 2].pop();
    } else {
      urgent_[queue / 2].pop();
    }
    took(task, queue);
    return task;
  }
  void took(Task* task, uint32_t queue) noexcept {
    if (queue % 2 ? fifos_[queue / 2].empty() : urgent_[queue / 2].empty()) occupied_ &= ~(1u << queue);
    task->lane = Task::kNoLane;
    --size_;
    brief_ -= task->brief;
  }

  const int64_t aging_ns_;
  std::array<Lane, kLanes> fifos_;
  std::array<DeadlineHeap<Timer>, kLanes> urgent_;
  uint32_t occupied_ = 0;  // one bit a queue
  size_t size_ = 0;
  size_t brief_ = 0;
};

}  // namespace offloop
