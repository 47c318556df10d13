#include "core/limits.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "support/alarm.hpp"
#include "support/pool_fixture.hpp"

namespace offloop {
namespace {

using testing::kMs;

Status until_stopped(Call& call) {
  EXPECT_TRUE(eventually([&] { return call.stopped(); }));
  return call.cancelled();
}

void use_processor(int64_t ns) {
  const CpuClock clock = CpuClock::of_this_thread();
  const int64_t end = clock.now_ns() + ns;
  while (clock.now_ns() < end) cpu_relax();
}

class LimitsTest : public PoolTest {
 protected:
  /// The only news so far are that `task` was cut by this limit.
  void expect_cut(const Task& task, Status limit) {
    ASSERT_EQ(environment_.news().size(), 1u);
    EXPECT_EQ(environment_.news()[0].task, &task);
    EXPECT_EQ(environment_.news()[0].what, Extras::kCut);
    EXPECT_EQ(environment_.news()[0].cut, limit);
  }
  /// A task that waits at the gate whatever limits it has, and begins soon.
  Task& run_to_the_gate(Environment::How how) {
    return environment_.run(
        *pool_,
        [this](Call& call) {
          begun_.open();
          gate_.wait();
          return call.returns(Value::of(7.0));
        },
        how);
  }
};

// First in its program: the reactor starts once for the process.
TEST_F(LimitsTest, are_not_kept_where_the_reactor_cannot_run_and_the_task_runs_all_the_same) {
  open(1);
  testing::fail_thread_starts(1);  // the pool's own starts
  for (int i = 0; i < 3; ++i) {
    Task& task = environment_.run(*pool_, nothing, {.timeout_ns = 0, .budget_ns = 0});
    ASSERT_EQ(environment_.await_one(), &task);
    EXPECT_EQ(task.status, OFFLOOP_OK);
  }
  EXPECT_TRUE(environment_.news().empty());
  testing::fail_thread_starts(testing::kNever);
  Task& stopped = environment_.run(*pool_, until_stopped, {.timeout_ns = 1});
  EXPECT_EQ(environment_.await_one(), &stopped);
  expect_cut(stopped, OFFLOOP_TIMEOUT);
}

// --- run time ---

TEST_F(LimitsTest, stop_a_body_when_its_run_time_is_over_and_say_so_before_it_is_home) {
  open(1);
  Task& task = environment_.run(*pool_, until_stopped, {.timeout_ns = 5 * kMs});
  EXPECT_EQ(environment_.await_one(), &task);
  EXPECT_EQ(task.status, OFFLOOP_CANCELLED);
  EXPECT_GE(task.extras()->run_ns, 5 * kMs) << "stopped too early";
  expect_cut(task, OFFLOOP_TIMEOUT);
}

TEST_F(LimitsTest, say_that_run_time_is_over_while_the_body_goes_on) {
  open(1);
  Task& task = run_to_the_gate({.timeout_ns = 1 * kMs});
  environment_.await_news(1);
  expect_cut(task, OFFLOOP_TIMEOUT);
  EXPECT_TRUE(task.stop);
  EXPECT_TRUE(task.in_flight);
  gate_.open();
  EXPECT_EQ(environment_.await_one(), &task);
  EXPECT_EQ(task.status, OFFLOOP_OK) << "what it makes of it is its own affair";
  EXPECT_EQ(task.result.number, 7.0);
  EXPECT_EQ(environment_.news().size(), 1u);
}

TEST_F(LimitsTest, do_not_count_the_time_a_task_waits) {
  open(1);
  occupy();
  Task& task = environment_.run(*pool_,
                                [](Call& call) {
                                  EXPECT_FALSE(call.stopped());
                                  return call.returns();
                                },
                                {.timeout_ns = 2'000 * kMs});
  // As if it had been accepted long ago: it waits, so nobody else reads this.
  task.accepted_ns -= 10'000 * kMs;
  gate_.open();
  environment_.await_all();
  EXPECT_EQ(task.status, OFFLOOP_OK);
  EXPECT_GE(task.extras()->queued_ns, 10'000 * kMs);
  EXPECT_TRUE(environment_.news().empty());
}

TEST_F(LimitsTest, stop_at_once_a_body_that_has_no_run_time_at_all) {
  open(1);
  Task& task = environment_.run(*pool_, until_stopped, {.timeout_ns = 0});
  EXPECT_EQ(environment_.await_one(), &task);
  expect_cut(task, OFFLOOP_TIMEOUT);
}

TEST_F(LimitsTest, leave_a_task_alone_that_has_ended_in_time) {
  open(1);
  for (bool brief : {false, true}) {
    std::vector<Task*> tasks;
    for (int i = 0; i < 50; ++i) {
      tasks.push_back(
          &environment_.run(*pool_, nothing, {.brief = brief, .timeout_ns = 2'000 * kMs, .budget_ns = 2'000 * kMs}));
    }
    environment_.await_all();
    for (Task* task : tasks) {
      EXPECT_FALSE(Reactor::shared().disarm(*task)) << "its timer was left armed";
      EXPECT_EQ(task->status, OFFLOOP_OK);
    }
  }
  EXPECT_TRUE(environment_.news().empty());
}

TEST_F(LimitsTest, keep_the_limits_of_each_of_a_hand_of_brief_tasks) {
  open(1);
  occupy();
  Task& first = environment_.run(*pool_, nothing, {.brief = true, .timeout_ns = 2'000 * kMs});
  Task& second = environment_.run(*pool_, until_stopped, {.brief = true, .timeout_ns = 1 * kMs});
  Task& third = environment_.run(*pool_, nothing, {.brief = true, .timeout_ns = 2'000 * kMs});
  gate_.open();
  environment_.await_all();
  expect_cut(second, OFFLOOP_TIMEOUT);
  EXPECT_EQ(second.status, OFFLOOP_CANCELLED);
  EXPECT_EQ(first.status, OFFLOOP_OK);
  EXPECT_EQ(third.status, OFFLOOP_OK);
}

// --- processor time ---

TEST_F(LimitsTest, stop_a_body_that_has_used_its_processor_time) {
  open(1);
  Task& task = environment_.run(*pool_,
                                [](Call& call) {
                                  while (!call.stopped()) use_processor(10'000);
                                  return call.cancelled();
                                },
                                {.timeout_ns = 60'000 * kMs, .budget_ns = 5 * kMs});
  EXPECT_EQ(environment_.await_one(), &task);
  EXPECT_GE(task.extras()->cpu_ns, 5 * kMs) << "stopped too early";
  expect_cut(task, OFFLOOP_BUDGET);
}

TEST_F(LimitsTest, let_a_body_wait_for_longer_than_its_processor_time) {
  open(1);
  Task& task = environment_.run(*pool_,
                                [this](Call& call) {
                                  begun_.open();
                                  gate_.wait();
                                  EXPECT_FALSE(call.stopped()) << "what it has waited is no processor time";
                                  use_processor(10 * kMs);
                                  return until_stopped(call);
                                },
                                {.budget_ns = 10 * kMs});
  ASSERT_TRUE(begun_.wait());
  testing::pass(30 * kMs);  // the first look is over
  gate_.open();
  EXPECT_EQ(environment_.await_one(), &task);
  EXPECT_GE(task.extras()->run_ns, 30 * kMs);
  expect_cut(task, OFFLOOP_BUDGET);
}

TEST_F(LimitsTest, tell_which_limit_was_reached_first) {
  open(1);
  Task& task = run_to_the_gate({.timeout_ns = 10 * kMs, .budget_ns = 9 * kMs});
  environment_.await_news(1);
  expect_cut(task, OFFLOOP_TIMEOUT);  // it waits, and uses no processor time
}

TEST_F(LimitsTest, let_a_body_ask_what_is_left_of_its_processor_time) {
  open(1);
  Task& without = environment_.run(*pool_,
                                   [](Call& call) {
                                     EXPECT_EQ(call.budget_left_ns(), INT64_MAX);
                                     return call.returns();
                                   },
                                   {.timeout_ns = 60'000 * kMs});
  Task& plain = environment_.run(*pool_, [](Call& call) {
    EXPECT_EQ(call.budget_left_ns(), INT64_MAX);
    return call.returns();
  });
  Task& with = environment_.run(*pool_,
                                [](Call& call) {
                                  const int64_t before = call.budget_left_ns();
                                  EXPECT_LE(before, 60'000 * kMs);
                                  EXPECT_GT(before, 59'000 * kMs);
                                  use_processor(3 * kMs);
                                  EXPECT_LE(call.budget_left_ns(), before - 3 * kMs);
                                  EXPECT_GT(call.budget_left_ns(), 0);
                                  return call.returns();
                                },
                                {.budget_ns = 60'000 * kMs});
  environment_.await_all();
  for (Task* task : {&without, &plain, &with}) EXPECT_EQ(task->status, OFFLOOP_OK);
}

// --- times ---

TEST_F(LimitsTest, measure_the_time_of_a_controlled_task) {
  open(1);
  occupy();
  Task& task = environment_.run(*pool_,
                                [this](Call& call) {
                                  use_processor(3 * kMs);
                                  begun_.open();
                                  second_gate_.wait();
                                  return call.returns();
                                },
                                {.watched = true});
  testing::pass(2 * kMs);
  gate_.open();
  ASSERT_TRUE(begun_.wait());
  testing::pass(20 * kMs);
  second_gate_.open();
  environment_.await_all();
  const Extras& extras = *task.extras();
  EXPECT_GE(extras.queued_ns, 2 * kMs);
  EXPECT_GE(extras.run_ns, 23 * kMs);
  EXPECT_GE(extras.cpu_ns, 3 * kMs);
  EXPECT_LE(extras.cpu_ns, extras.run_ns - 10 * kMs) << "waiting is no processor time";
}

}  // namespace
}  // namespace offloop
