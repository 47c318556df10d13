#include "core/lanes.hpp"

#include <gtest/gtest.h>

#include <deque>
#include <random>
#include <vector>

#include "support/faults.hpp"

namespace offloop {
namespace {

/// Tasks that only wait: their slot tells them apart.
class LanesTest : public ::testing::Test {
 protected:
  Task* task(uint8_t lane, bool brief = false) {
    Task& made = tasks_.emplace_back();
    made.slot = static_cast<uint32_t>(tasks_.size() - 1);
    made.lane = lane;
    made.brief = brief;
    return &made;
  }
  Task* push(uint8_t lane, bool brief = false) {
    Task* made = task(lane, brief);
    lanes_.push(made);
    return made;
  }
  void expect_order(const std::vector<Task*>& expected) {
    ASSERT_EQ(lanes_.size(), expected.size());
    for (Task* each : expected) {
      EXPECT_EQ(lanes_.pop(0), each);
      EXPECT_EQ(each->lane, Task::kNoLane);
    }
    EXPECT_EQ(lanes_.size(), 0u);
  }

  Lanes lanes_{1'000'000};
  std::deque<Task> tasks_;
};

TEST_F(LanesTest, are_32_priorities_wide) {
  EXPECT_EQ(Lanes::lane_of(0), 0);
  EXPECT_EQ(Lanes::lane_of(31), 0);
  EXPECT_EQ(Lanes::lane_of(32), 1);
  EXPECT_EQ(Lanes::lane_of(128), 4);
  EXPECT_EQ(Lanes::lane_of(255), 7);
}

TEST_F(LanesTest, give_the_first_lane_first_and_keep_the_order_within_one) {
  Task* low = push(7);
  Task* normal = push(4);
  Task* high = push(0);
  Task* later = push(4);
  Task* last = push(7);
  expect_order({high, normal, later, low, last});
}

TEST_F(LanesTest, let_a_task_leave_from_the_middle_the_front_and_the_end) {
  std::vector<Task*> tasks;
  for (int i = 0; i < 6; ++i) tasks.push_back(push(4));
  for (int leaving : {2, 0, 5}) {
    lanes_.remove(tasks[leaving]);
    EXPECT_EQ(tasks[leaving]->lane, Task::kNoLane);
  }
  expect_order({tasks[1], tasks[3], tasks[4]});
}

TEST_F(LanesTest, pass_over_a_lane_whose_last_task_left) {
  Task* high = push(0);
  Task* low = push(7);
  lanes_.remove(high);
  expect_order({low});
}

TEST_F(LanesTest, can_be_used_again_after_they_ran_empty) {
  for (int round = 0; round < 3; ++round) {
    Task* one = push(3);
    Task* other = push(3);
    lanes_.remove(one);
    expect_order({other});
  }
}

TEST_F(LanesTest, count_what_is_not_brief) {
  push(4, true);
  Task* one = push(4, false);
  push(4, true);
  push(0, false);
  EXPECT_EQ(lanes_.long_ones(), 2u);
  lanes_.remove(one);
  EXPECT_EQ(lanes_.long_ones(), 1u);
  lanes_.pop(0);
  EXPECT_EQ(lanes_.long_ones(), 0u);
  EXPECT_EQ(lanes_.size(), 2u);
}

TEST_F(LanesTest, keep_the_order_while_a_lane_grows_with_its_ring_wrapped) {
  std::vector<Task*> waiting;
  for (int i = 0; i < 40; ++i) push(4);
  for (int i = 0; i < 30; ++i) lanes_.pop(0);  // 10 are left, and the ring of 64 starts at 30
  waiting.clear();
  for (int i = 30; i < 40; ++i) waiting.push_back(&tasks_[i]);
  for (int i = 0; i < 10'000; ++i) waiting.push_back(push(4));
  expect_order(waiting);
}

TEST_F(LanesTest, do_not_grow_over_tasks_that_left) {
  Task* first = push(4);
  for (int i = 0; i < 100'000; ++i) lanes_.remove(push(4));
  expect_order({first});
}

TEST_F(LanesTest, find_a_task_that_moved_when_its_lane_grew) {
  std::vector<Task*> tasks;
  for (int i = 0; i < 65; ++i) tasks.push_back(push(4));
  lanes_.remove(tasks[40]);
  tasks.erase(tasks.begin() + 40);
  expect_order(tasks);
}

TEST_F(LanesTest, work_after_a_burst_gave_its_memory_back) {
  for (int i = 0; i < 10'000; ++i) push(4);
  while (lanes_.size() > 0) lanes_.pop(0);
  Task* next = push(4);
  expect_order({next});
}

TEST_F(LanesTest, change_nothing_when_there_is_no_memory) {
  std::vector<Task*> tasks;
  for (int i = 0; i < 64; ++i) tasks.push_back(push(4));
  Task* refused = task(4, true);
  {
    testing::FailingAllocations now;
    EXPECT_THROW(lanes_.push(refused), std::bad_alloc);
  }
  EXPECT_EQ(lanes_.long_ones(), 64u);
  expect_order(tasks);
}

TEST_F(LanesTest, agree_with_eight_plain_queues_over_random_work) {
  std::mt19937 random(2026);
  std::deque<Task*> model[Lanes::kLanes];
  for (int i = 0; i < 200'000; ++i) {
    const uint32_t choice = random() % 100;
    const uint8_t lane = random() % Lanes::kLanes;
    if (choice < 45) {
      model[lane].push_back(push(lane));
    } else if (choice < 75) {
      for (auto& queue : model) {
        if (queue.empty()) continue;
        ASSERT_EQ(lanes_.pop(0), queue.front());
        queue.pop_front();
        break;
      }
    } else if (!model[lane].empty()) {
      const auto leaving = model[lane].begin() + random() % model[lane].size();
      lanes_.remove(*leaving);
      model[lane].erase(leaving);
    }
  }
  std::vector<Task*> left;
  for (auto& queue : model) left.insert(left.end(), queue.begin(), queue.end());
  expect_order(left);
}

}  // namespace
}  // namespace offloop
