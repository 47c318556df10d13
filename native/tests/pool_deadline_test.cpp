#include <gtest/gtest.h>

#include <map>
#include <random>
#include <thread>

#include "support/alarm.hpp"
#include "support/pool_fixture.hpp"

namespace offloop {
namespace {

using testing::kDistant;
using testing::kMs;

class PoolDeadlineTest : public PoolTest {
 protected:
  static Status must_not_run(Call& call) {
    ADD_FAILURE() << "it ran too late";
    return call.returns();
  }
  Task& run_by(int64_t deadline_ns, testing::TaskBody body = nothing) {
    return environment_.run(*pool_, std::move(body), {.deadline_ns = deadline_ns});
  }
  /// As if the reactor could not run: it is kept busy, and threads have to look for themselves.
  std::unique_ptr<testing::Held> hold_the_reactor() { return std::make_unique<testing::Held>(); }
};

// First in its program: the reactor starts once for the process.
TEST_F(PoolDeadlineTest, is_kept_where_the_reactor_cannot_run_and_looked_for_again_once_it_can) {
  open(1);
  occupy();
  testing::fail_thread_starts(0);
  Task& late = run_by(1, must_not_run);
  Task& in_time = run_by(kDistant);
  gate_.open();
  environment_.await_all();
  EXPECT_EQ(in_time.status, OFFLOOP_OK);
  EXPECT_EQ(late.status, OFFLOOP_DEADLINE);

  environment_.run(*pool_, [this](Call& call) {
    begun_.open();
    second_gate_.wait();
    return call.returns();
  });
  ASSERT_TRUE(begun_.wait());
  run_by(kDistant);  // nobody to look
  testing::fail_thread_starts(testing::kNever);
  Task& next = run_by(2 * kMs, must_not_run);
  EXPECT_EQ(environment_.await_one(), &next);
  EXPECT_EQ(next.status, OFFLOOP_DEADLINE);
  run_by(2 * kMs, must_not_run);
  EXPECT_EQ(environment_.await(1).size(), 1u) << "while its thread was busy";
}

TEST_F(PoolDeadlineTest, runs_a_task_that_begins_in_time) {
  open(2);
  Task& task = run_by(kDistant);
  EXPECT_EQ(environment_.await_one(), &task);
  EXPECT_EQ(task.status, OFFLOOP_OK);
}

TEST_F(PoolDeadlineTest, sends_a_late_task_home_while_all_threads_are_busy) {
  open(2);
  for (int i = 0; i < 2; ++i) occupy();
  Task& plain = environment_.run(*pool_, nothing);
  Task& later = run_by(kDistant);
  Task& late = run_by(5 * kMs, must_not_run);
  const int64_t due = late.due_ns;
  EXPECT_EQ(environment_.await_one(), &late);
  EXPECT_GE(steady_ns(), due);
  EXPECT_EQ(late.status, OFFLOOP_DEADLINE);
  EXPECT_EQ(late.lane, Task::kNoLane);
  EXPECT_EQ(pool_->counts().queued, 2u);
  gate_.open();
  environment_.await_all();
  EXPECT_EQ(plain.status, OFFLOOP_OK);
  EXPECT_EQ(later.status, OFFLOOP_OK);
}

TEST_F(PoolDeadlineTest, looks_again_for_each_that_becomes_late) {
  open(1);
  occupy();
  std::vector<Task*> tasks;
  for (int64_t ms : {30, 10, 20, 5, 25}) tasks.push_back(&run_by(ms * kMs, must_not_run));
  EXPECT_EQ(environment_.await(5).size(), 5u);
  for (Task* task : tasks) EXPECT_EQ(task->status, OFFLOOP_DEADLINE);
}

TEST_F(PoolDeadlineTest, never_begins_a_late_task_though_nobody_has_looked) {
  open(1);
  occupy();
  const auto held = hold_the_reactor();
  std::vector<Task*> tasks;
  for (bool brief : {false, true, false}) {
    tasks.push_back(&environment_.run(*pool_, must_not_run, {.brief = brief, .deadline_ns = 1}));
  }
  Task& plain = environment_.run(*pool_, nothing);
  gate_.open();
  environment_.await_all();
  for (Task* task : tasks) EXPECT_EQ(task->status, OFFLOOP_DEADLINE);
  EXPECT_EQ(plain.status, OFFLOOP_OK);
}

TEST_F(PoolDeadlineTest, sends_home_at_once_what_is_late_when_it_comes) {
  open(1);
  Task& task = run_by(-1, must_not_run);
  EXPECT_EQ(environment_.await_one(), &task);
  EXPECT_EQ(task.status, OFFLOOP_DEADLINE);
}

TEST_F(PoolDeadlineTest, begins_no_brief_task_late_because_of_those_before_it_in_a_hand) {
  open(1);
  occupy();
  Task& slow = environment_.make(
      [](Call& call) {
        testing::pass(30 * kMs);
        return call.returns();
      },
      {.brief = true, .deadline_ns = 20 * kMs});
  Task& late = environment_.make(must_not_run, {.brief = true, .deadline_ns = 21 * kMs});
  Task* const batch[] = {&slow, &late};
  ASSERT_EQ(environment_.submit(*pool_, batch).count, 2u);
  gate_.open();
  environment_.await_all();
  EXPECT_EQ(late.status, OFFLOOP_DEADLINE);
}

TEST_F(PoolDeadlineTest, lets_earlier_deadlines_of_a_lane_go_first) {
  open(1);
  occupy();
  std::vector<int> order;
  for (int hours : {0, 3, 1, 2}) {
    environment_.run(*pool_,
                     [&order, hours](Call& call) {
                       order.push_back(hours);
                       return call.returns();
                     },
                     {.deadline_ns = hours ? hours * kDistant : Timer::kNever});
  }
  gate_.open();
  environment_.await_all();
  EXPECT_EQ(order, (std::vector<int>{1, 2, 3, 0}));
}

TEST_F(PoolDeadlineTest, sends_a_cancelled_task_home_once) {
  open(1);
  occupy();
  Task& cancelled = run_by(5 * kMs, must_not_run);
  Task& other = run_by(10 * kMs, must_not_run);
  pool_->cancel(cancelled);
  EXPECT_EQ(environment_.await_one(), &cancelled);
  EXPECT_EQ(cancelled.status, OFFLOOP_CANCELLED);
  EXPECT_EQ(environment_.await_one(), &other);
  EXPECT_EQ(other.status, OFFLOOP_DEADLINE);
  testing::pass(0);
  EXPECT_TRUE(environment_.collect().empty());
}

TEST_F(PoolDeadlineTest, says_farewell_though_everything_that_waited_was_late) {
  open(1);
  occupy();
  const auto held = hold_the_reactor();
  for (int i = 0; i < 10; ++i) run_by(1, must_not_run);
  Task& farewell = *environment_.make_noops(1).front();
  environment_.expect(farewell);
  pool_->close(&farewell);
  gate_.open();
  const std::vector<Task*> home = environment_.await_all();
  ASSERT_EQ(home.size(), 12u);
  EXPECT_EQ(home.back(), &farewell);
  pool_.reset();
}

TEST_F(PoolDeadlineTest, counts_late_tasks_as_gone) {
  auto options = pool_options();
  options.threads = 1;
  options.capacity = 2;
  open(options);
  occupy();
  run_by(1, must_not_run);
  run_by(1, must_not_run);
  environment_.await(2);
  EXPECT_EQ(pool_->counts().queued, 0u);
  EXPECT_EQ(environment_.submit(*pool_, environment_.make_noops(2)).count, 2u);
}

TEST_F(PoolDeadlineTest, ends_a_pool_whose_next_look_is_still_to_come) {
  for (int round = 0; round < 500; ++round) {
    Environment environment;
    auto pool = make_pool();
    // A look that comes about when the pool goes, or long after.
    for (int64_t ns : {int64_t{round % 100} * 3'000, kDistant}) environment.run(*pool, nothing, {.deadline_ns = ns});
    environment.await_all();
    std::weak_ptr<Pool> watch = pool;
    pool->close(nullptr);
    pool.reset();
    if (round % 10 == 0) {
      ASSERT_TRUE(eventually([&] { return watch.expired(); }));
    }
  }
  testing::pass(0);
}

TEST_F(PoolDeadlineTest, settles_each_of_many_once_when_deadlines_pass_while_threads_take_them) {
  static constexpr int kThreads = 3, kTasks = 6'000;
  auto options = pool_options();
  options.threads = 2;
  open(options);
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([this, t] {
      std::mt19937 random(t);
      Environment environment;
      std::vector<std::atomic<uint8_t>> runs(kTasks);
      std::map<int, int> ended;
      const auto count = [&](const std::vector<Task*>& home) {
        for (Task* task : home) {
          ++ended[task->status];
          ASSERT_EQ(runs[task->slot], task->status == OFFLOOP_OK ? 1 : 0);
        }
      };
      std::vector<Task*> tasks;
      for (int i = 0; i < kTasks; ++i) {
        tasks.push_back(
            &environment.run(*pool_,
                             [&runs, i](Call& call) {
                               ++runs[i];
                               const int64_t end = steady_ns() + 5'000;
                               while (steady_ns() < end) cpu_relax();
                               return call.returns();
                             },
                             {.brief = random() % 2 == 0, .deadline_ns = static_cast<int64_t>(random() % 2'000'000)}));
        Task* other = tasks[random() % tasks.size()];
        if (other->in_flight && random() % 16 == 0) pool_->cancel(*other);
        if (i % 64 == 0) count(environment.collect());
      }
      count(environment.await_all());
      EXPECT_EQ(ended[OFFLOOP_OK] + ended[OFFLOOP_DEADLINE] + ended[OFFLOOP_CANCELLED], kTasks);
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(pool_->counts().queued, 0u);
}

}  // namespace
}  // namespace offloop
