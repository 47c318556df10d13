#include <gtest/gtest.h>

#include <deque>
#include <vector>

#include "core/lanes.hpp"
#include "support/faults.hpp"

namespace offloop {
namespace {

constexpr int64_t kAging = 100;

struct How {
  int64_t accepted = 0;
  int64_t due = Timer::kNever;
  bool brief = false;
};

/// Tasks that wait by deadline and by age.
class LanesOrderTest : public ::testing::Test {
 protected:
  Task* task(uint8_t lane, How how = {}) {
    Task& made = tasks_.emplace_back();
    made.lane = lane;
    made.accepted_ns = how.accepted;
    made.due_ns = how.due;
    made.urgent = how.due != Timer::kNever;
    made.brief = how.brief;
    return &made;
  }
  Task* push(uint8_t lane, How how = {}) {
    Task* made = task(lane, how);
    lanes_.push(made);
    return made;
  }
  void expect_order(const std::vector<Task*>& expected, int64_t now = 0) {
    ASSERT_EQ(lanes_.size(), expected.size());
    for (size_t i = 0; i < expected.size(); ++i) {
      EXPECT_EQ(lanes_.pop(now), expected[i]) << "as number " << i;
      EXPECT_EQ(expected[i]->lane, Task::kNoLane);
    }
  }

  std::deque<Task> tasks_;
  Lanes lanes_{kAging};
};

// --- deadlines ---

TEST_F(LanesOrderTest, give_the_earliest_deadline_of_a_lane_first_and_the_rest_of_it_behind) {
  Task* plain = push(4);
  Task* late = push(4, {.due = 3'000});
  Task* early = push(4, {.due = 1'000});
  Task* middle = push(4, {.due = 2'000});
  Task* plain_too = push(4);
  expect_order({early, middle, late, plain, plain_too});
}

TEST_F(LanesOrderTest, put_no_deadline_above_the_lane_of_its_task) {
  Task* low = push(7, {.due = 10});
  Task* high = push(0);
  Task* normal = push(4, {.due = 20});
  expect_order({high, normal, low});
}

TEST_F(LanesOrderTest, know_the_earliest_deadline_of_all_lanes) {
  EXPECT_EQ(lanes_.earliest_deadline(), Timer::kNever);
  push(0);
  EXPECT_EQ(lanes_.earliest_deadline(), Timer::kNever);
  push(0, {.due = 500});
  Task* earliest = push(7, {.due = 300});
  push(4, {.due = 400});
  EXPECT_EQ(lanes_.earliest_deadline(), 300);
  lanes_.remove(earliest);
  EXPECT_EQ(lanes_.earliest_deadline(), 400);
}

TEST_F(LanesOrderTest, give_out_what_is_late_and_nothing_else) {
  push(0, {.due = 101});
  Task* just_late = push(4, {.due = 100});
  Task* very_late = push(4, {.due = 50});
  Task* low = push(7, {.due = 99});
  push(0);
  std::vector<Task*> late;
  while (Task* task = lanes_.pop_late(100)) {
    EXPECT_EQ(task->lane, Task::kNoLane);
    late.push_back(task);
  }
  EXPECT_EQ(late, (std::vector<Task*>{very_late, just_late, low}));
  EXPECT_EQ(lanes_.size(), 2u);
  EXPECT_EQ(lanes_.earliest_deadline(), 101);
}

TEST_F(LanesOrderTest, find_no_late_one_where_there_are_no_deadlines) {
  EXPECT_EQ(lanes_.pop_late(INT64_MAX), nullptr);
  push(3);
  EXPECT_EQ(lanes_.pop_late(INT64_MAX), nullptr);
}

TEST_F(LanesOrderTest, let_tasks_with_and_without_deadlines_leave_from_anywhere) {
  std::vector<Task*> urgent, plain;
  for (int64_t i = 0; i < 6; ++i) {
    urgent.push_back(push(4, {.due = 1'000 + i}));
    plain.push_back(push(4));
  }
  for (int leaving : {0, 3, 5}) {
    lanes_.remove(urgent[leaving]);
    lanes_.remove(plain[leaving]);
    EXPECT_EQ(urgent[leaving]->lane, Task::kNoLane);
  }
  EXPECT_EQ(lanes_.depth(4), 6u);
  expect_order({urgent[1], urgent[2], urgent[4], plain[1], plain[2], plain[4]});
}

TEST_F(LanesOrderTest, pass_over_a_queue_whose_last_task_left) {
  Task* urgent = push(0, {.due = 10});
  Task* plain = push(0);
  Task* low = push(7);
  lanes_.remove(urgent);
  lanes_.remove(plain);
  expect_order({low});
}

TEST_F(LanesOrderTest, change_nothing_when_there_is_no_memory_for_a_deadline) {
  std::vector<Task*> tasks;
  for (int64_t i = 0; i < 8; ++i) tasks.push_back(push(4, {.due = 1'000 + i}));  // memory for a power of two is used up
  Task* refused = task(4, {.due = 10, .brief = true});
  {
    testing::FailingAllocations now;
    EXPECT_THROW(lanes_.push(refused), std::bad_alloc);
  }
  EXPECT_EQ(lanes_.size(), 8u);
  EXPECT_EQ(lanes_.long_ones(), 8u);
  EXPECT_EQ(lanes_.earliest_deadline(), 1'000);
  expect_order(tasks);
}

// --- age ---

TEST_F(LanesOrderTest, let_a_task_rise_one_lane_for_each_time_it_has_waited) {
  Task* low = push(7, {.accepted = 0});
  for (int64_t lane = 6; lane >= 0; --lane) {
    // One that comes just before the low task has risen into its lane goes before it; one that comes then does not.
    const int64_t risen = (7 - lane) * kAging;
    Task* before = push(static_cast<uint8_t>(lane), {.accepted = risen - 1});
    EXPECT_EQ(lanes_.pop(risen - 1), before) << "lane " << lane;
    Task* after = push(static_cast<uint8_t>(lane), {.accepted = risen + 1});
    EXPECT_EQ(lanes_.pop(risen + 1), low) << "lane " << lane;
    lanes_.remove(after);
    low->lane = 7;
    lanes_.push(low);
  }
}

TEST_F(LanesOrderTest, let_tasks_rise_beyond_the_first_lane) {
  Task* low = push(7, {.accepted = 0});
  Task* high = push(0, {.accepted = 8 * kAging});
  Task* urgent = push(0, {.accepted = 8 * kAging, .due = 1'000'000});
  expect_order({low, urgent, high}, 8 * kAging);
}

TEST_F(LanesOrderTest, give_a_deadline_its_advantage_over_all_that_have_risen_as_far) {
  Task* low = push(7, {.accepted = 0});
  Task* urgent = push(0, {.accepted = 8 * kAging - 1, .due = 1'000'000});
  expect_order({urgent, low}, 8 * kAging - 1);
}

TEST_F(LanesOrderTest, give_of_those_that_have_risen_as_far_the_one_first_that_was_there_first) {
  Task* second = push(2, {.accepted = 30});
  Task* first = push(5, {.accepted = 10 - 3 * kAging});
  Task* third = push(0, {.accepted = 50 + 2 * kAging});
  expect_order({first, second, third}, 60 + 2 * kAging);
}

TEST_F(LanesOrderTest, let_nobody_overtake_who_comes_when_a_task_has_risen_into_its_lane) {
  Task* low = push(3, {.accepted = 0});
  Task* high = push(0, {.accepted = 3 * kAging});
  expect_order({low, high}, 3 * kAging);
}

TEST_F(LanesOrderTest, keep_the_order_when_clocks_are_before_the_time_of_acceptance) {
  Task* low = push(7, {.accepted = 5'000});
  Task* high = push(0, {.accepted = 5'001});
  expect_order({high, low}, 0);
}

// --- what a hand and an overflow take ---

TEST_F(LanesOrderTest, give_the_next_task_as_a_brief_one_only_if_it_is_brief) {
  Task* brief = push(4, {.brief = true});
  push(4);
  push(7, {.brief = true});
  EXPECT_EQ(lanes_.pop_brief(0), brief);
  EXPECT_EQ(lanes_.pop_brief(0), nullptr);
  EXPECT_EQ(lanes_.size(), 2u);
}

TEST_F(LanesOrderTest, keep_a_brief_task_with_a_deadline_out_of_the_middle_of_a_hand) {
  Task* urgent = push(4, {.due = 1'000, .brief = true});
  push(4, {.brief = true});
  EXPECT_EQ(lanes_.pop_brief(0), nullptr);
  EXPECT_EQ(lanes_.pop(0), urgent);
  EXPECT_NE(lanes_.pop_brief(0), nullptr);
}

TEST_F(LanesOrderTest, look_for_a_brief_task_where_age_says) {
  Task* low = push(7, {.accepted = 0, .brief = true});
  Task* high = push(0, {.accepted = 7 * kAging - 1});
  EXPECT_EQ(lanes_.pop_brief(7 * kAging - 1), nullptr);
  lanes_.remove(high);
  push(0, {.accepted = 7 * kAging + 1});
  EXPECT_EQ(lanes_.pop_brief(7 * kAging + 1), low);
}

TEST_F(LanesOrderTest, give_the_oldest_of_the_last_lane_up) {
  push(4);
  Task* oldest = push(6);
  Task* next = push(6);
  EXPECT_EQ(lanes_.pop_least(0), oldest);
  EXPECT_EQ(lanes_.pop_least(6), next);
  EXPECT_EQ(oldest->lane, Task::kNoLane);
  EXPECT_EQ(lanes_.size(), 1u);
}

TEST_F(LanesOrderTest, give_nothing_up_that_goes_before_the_one_that_comes) {
  EXPECT_EQ(lanes_.pop_least(0), nullptr);
  EXPECT_EQ(lanes_.pop_least(7), nullptr);
  push(3);
  EXPECT_EQ(lanes_.pop_least(4), nullptr);
  EXPECT_NE(lanes_.pop_least(3), nullptr);
}

TEST_F(LanesOrderTest, give_tasks_with_deadlines_up_last_the_next_one_first) {
  Task* later = push(5, {.due = 200});
  Task* sooner = push(5, {.due = 100});
  Task* plain = push(5);
  push(0);
  EXPECT_EQ(lanes_.pop_least(5), plain);
  EXPECT_EQ(lanes_.pop_least(5), sooner);
  EXPECT_EQ(lanes_.pop_least(5), later);
  EXPECT_EQ(lanes_.pop_least(5), nullptr);
}

}  // namespace
}  // namespace offloop
