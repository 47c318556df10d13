#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <random>
#include <tuple>
#include <vector>

#include "core/lanes.hpp"

namespace offloop {
namespace {

/// Everything that waits, in the order of its coming; every question is answered by looking at all of it.
class Model {
 public:
  struct Entry {
    Task* task;
    uint8_t lane;
    bool urgent() const { return task->due_ns != Timer::kNever; }
  };

  explicit Model(int64_t aging) : aging_(aging) {}

  void push(Task* task) { waiting_.push_back({task, task->lane}); }
  void erase(Task* task) {
    std::erase_if(waiting_, [&](const Entry& each) { return each.task == task; });
  }
  const std::vector<Entry>& waiting() const { return waiting_; }

  /// The lane it has risen to, beyond the first too.
  int64_t level(const Entry& entry, int64_t now) const {
    int64_t level = entry.lane;
    for (int64_t since = entry.task->accepted_ns + aging_; since <= now; since += aging_) --level;
    return level;
  }
  /// Of those with deadlines, the first of each lane speaks for all.
  bool is_spoken_for(const Entry& entry) const {
    return std::any_of(waiting_.begin(), waiting_.end(), [&](const Entry& other) {
      return other.lane == entry.lane && other.urgent() && other.task->due_ns < entry.task->due_ns;
    });
  }
  Task* next(int64_t now) const {
    const auto key = [&](const Entry& entry) {
      const int64_t into_the_first = entry.task->accepted_ns + entry.lane * aging_;
      return std::tuple(level(entry, now), !entry.urgent(), into_the_first, entry.task->accepted_ns);
    };
    const Entry* best = nullptr;
    for (const Entry& each : waiting_) {
      if (each.urgent() && is_spoken_for(each)) continue;
      if (!best || key(each) < key(*best)) best = &each;
    }
    return best ? best->task : nullptr;
  }
  Task* least(uint8_t lane) const {
    const auto last = std::max_element(waiting_.begin(), waiting_.end(),
                                       [](const Entry& a, const Entry& b) { return a.lane < b.lane; });
    if (last == waiting_.end() || last->lane < lane) return nullptr;
    const Entry* sooner = nullptr;
    for (const Entry& each : waiting_) {
      if (each.lane != last->lane) continue;
      if (!each.urgent()) return each.task;
      if (!sooner || each.task->due_ns < sooner->task->due_ns) sooner = &each;
    }
    return sooner->task;
  }
  int64_t earliest_deadline() const {
    int64_t earliest = Timer::kNever;
    for (const Entry& each : waiting_) earliest = std::min(earliest, each.task->due_ns);
    return earliest;
  }
  size_t depth(uint8_t lane) const {
    return std::count_if(waiting_.begin(), waiting_.end(), [&](const Entry& each) { return each.lane == lane; });
  }
  size_t long_ones() const {
    return std::count_if(waiting_.begin(), waiting_.end(), [](const Entry& each) { return !each.task->brief; });
  }

 private:
  const int64_t aging_;
  std::vector<Entry> waiting_;
};

/// With times so short that ties are common.
class LanesModelTest : public ::testing::TestWithParam<int64_t> {
 protected:
  Task* make(uint32_t lanes, uint32_t percent_urgent) {
    Task* task = &tasks_.emplace_back();
    task->lane = static_cast<uint8_t>(random_() % lanes);
    task->accepted_ns = now_;
    task->brief = random_() % 3 != 0;
    // No two are the same: which of those goes first is nobody's promise.
    task->urgent = random_() % 100 < percent_urgent;
    if (task->urgent) task->due_ns = (now_ + 1 + random_() % 200) * 1'000'000 + tasks_.size();
    return task;
  }
  void push(Task* task) {
    model_.push(task);
    lanes_.push(task);
  }
  void expect_gone(Task* task, Task* expected) {
    ASSERT_EQ(task, expected) << "at " << now_;
    if (!task) return;
    EXPECT_EQ(task->lane, Task::kNoLane);
    EXPECT_EQ(task->heap_index, DeadlineHeap<Timer>::kOutside);
    model_.erase(task);
  }
  void expect_the_same_counts() {
    ASSERT_EQ(lanes_.size(), model_.waiting().size());
    ASSERT_EQ(lanes_.long_ones(), model_.long_ones());
    ASSERT_EQ(lanes_.earliest_deadline(), model_.earliest_deadline());
    for (uint8_t lane = 0; lane < Lanes::kLanes; ++lane) ASSERT_EQ(lanes_.depth(lane), model_.depth(lane));
  }

  std::mt19937 random_{2026};
  int64_t now_ = 1'000;
  std::deque<Task> tasks_;
  Lanes lanes_{GetParam()};
  Model model_{GetParam()};
};

TEST_P(LanesModelTest, agree_with_a_model_that_looks_at_all_that_wait) {
  for (int i = 0; i < 30'000; ++i) {
    if (random_() % 3 == 0) now_ += random_() % 4;
    const uint32_t most = i / 5'000 % 2 ? 400 : 12;  // many queues at once, and few
    switch (random_() % 10) {
      case 0:
      case 1:
      case 2:
      case 3:
        if (model_.waiting().size() < most) push(make(Lanes::kLanes, 40));
        break;
      case 4:
      case 5:
        if (lanes_.size() > 0) {
          Task* const expected = model_.next(now_);
          expect_gone(lanes_.pop(now_), expected);
        }
        break;
      case 6:
        if (lanes_.size() > 0) {
          Task* const expected = model_.next(now_);
          const bool fits = expected->brief && expected->due_ns == Timer::kNever;
          expect_gone(lanes_.pop_brief(now_), fits ? expected : nullptr);
        }
        break;
      case 7: {
        const int64_t earliest = model_.earliest_deadline();
        if (earliest == Timer::kNever) break;
        ASSERT_EQ(lanes_.pop_late(earliest - 1), nullptr);
        Task* const late = lanes_.pop_late(earliest);
        ASSERT_NE(late, nullptr);
        ASSERT_EQ(late->due_ns, earliest);
        expect_gone(late, late);
        break;
      }
      case 8: {
        const auto lane = static_cast<uint8_t>(random_() % Lanes::kLanes);
        Task* const expected = model_.least(lane);
        expect_gone(lanes_.pop_least(lane), expected);
        break;
      }
      default:
        if (!model_.waiting().empty()) {
          Task* leaving = model_.waiting()[random_() % model_.waiting().size()].task;
          lanes_.remove(leaving);
          expect_gone(leaving, leaving);
        }
    }
    expect_the_same_counts();
    if (HasFatalFailure()) return;
  }
  while (lanes_.size() > 0 && !HasFatalFailure()) {
    Task* const expected = model_.next(now_);
    expect_gone(lanes_.pop(now_), expected);
    now_ += random_() % 3;
  }
  expect_the_same_counts();
}

TEST_P(LanesModelTest, let_a_task_be_overtaken_for_as_long_as_promised_and_no_longer) {
  const int64_t aging = GetParam();
  int64_t longest_by_urgent = 0, longest_by_plain = 0;
  for (int flood = 0; flood < 12; ++flood) {
    const uint32_t lanes = 1 + random_() % Lanes::kLanes;
    const uint32_t urgent = flood % 3 * 45;
    for (int i = 0; i < 1'500; ++i) {
      push(make(lanes, urgent));
      if (random_() % 2) push(make(1, urgent));  // always somebody in the first lane
      now_ += random_() % 3;
      Task* const next = lanes_.pop(now_);
      const auto place = std::find_if(model_.waiting().begin(), model_.waiting().end(),
                                      [&](const Model::Entry& each) { return each.task == next; });
      for (auto each = model_.waiting().begin(); each != place; ++each) {  // they were here before
        if (each->urgent()) continue;
        const int64_t after = next->accepted_ns - each->task->accepted_ns;
        if (place->urgent()) {
          ASSERT_LT(after, (each->lane + 1) * aging);
          longest_by_urgent = std::max(longest_by_urgent, after);
        } else if (place->lane != each->lane || after > 0) {
          ASSERT_LT(after, each->lane * aging);
          longest_by_plain = std::max(longest_by_plain, after);
        } else {
          FAIL() << "not first in, first out";
        }
      }
      model_.erase(next);
    }
    while (lanes_.size() > 0) model_.erase(lanes_.pop(now_));
  }
  // The flood was one: there were some that were nearly too late to overtake.
  EXPECT_GT(longest_by_urgent, 6 * aging);
  EXPECT_GT(longest_by_plain, 5 * aging);
}

INSTANTIATE_TEST_SUITE_P(Aging, LanesModelTest, ::testing::Values(3, 7, 64),
                         [](const auto& info) { return "of_" + std::to_string(info.param); });

}  // namespace
}  // namespace offloop
