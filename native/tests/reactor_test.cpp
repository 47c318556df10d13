#include "core/reactor.hpp"

#include <gtest/gtest.h>

#include <random>

#include "support/environment.hpp"
#include "support/faults.hpp"
#include "support/gate.hpp"

namespace offloop {
namespace {

using namespace std::chrono_literals;
using testing::Environment;

constexpr int64_t kMs = 1'000'000;

class ReactorTest : public ::testing::Test {
 protected:
  /// A task that the reactor settles in `ns` from now.
  Task& wait_for(int64_t ns) {
    Task& task = *environment_.make_noops(1).front();
    task.lane = Task::kNoLane;
    task.due_ns = steady_ns() + ns;
    environment_.expect(task);
    return task;
  }
  Task& add(int64_t ns) {
    Task& task = wait_for(ns);
    Reactor::shared().add(task);
    return task;
  }

  Environment environment_;
};

// First in its program: the reactor starts once for the process.
TEST_F(ReactorTest, fails_the_task_when_its_thread_cannot_start_and_tries_again_with_the_next) {
  if (!testing::can_fail_thread_starts()) GTEST_SKIP() << "no way to make a thread fail on this system";
  testing::fail_thread_starts(0);
  Task& refused = add(1 * kMs);
  EXPECT_EQ(environment_.await_one(), &refused);
  EXPECT_EQ(refused.status, OFFLOOP_SYSTEM);
  EXPECT_EQ(refused.failure->number, -EAGAIN);
  testing::fail_thread_starts(testing::kNever);
  Task& next = add(1 * kMs);
  EXPECT_EQ(environment_.await_one(), &next);
  EXPECT_EQ(next.status, OFFLOOP_OK);
}

TEST_F(ReactorTest, settles_at_the_due_time_and_never_before) {
  for (int64_t ns : {1 * kMs, 3 * kMs + 1, 20 * kMs, int64_t{1}}) {
    Task& task = add(ns);
    EXPECT_EQ(environment_.await_one(), &task);
    EXPECT_GE(steady_ns(), task.due_ns);
    EXPECT_EQ(task.status, OFFLOOP_OK);
  }
}

TEST_F(ReactorTest, settles_at_once_what_is_due_already) {
  Task& task = add(-1 * kMs);
  ASSERT_EQ(environment_.collect().size(), 1u);
  EXPECT_EQ(task.status, OFFLOOP_OK);
}

TEST_F(ReactorTest, settles_in_the_order_of_due_times) {
  std::vector<Task*> tasks;
  for (int64_t ms : {50, 30, 40, 20, 60}) tasks.push_back(&add(ms * kMs));
  const std::vector<Task*> home = environment_.await(tasks.size());
  ASSERT_EQ(home.size(), tasks.size());
  for (size_t i = 1; i < home.size(); ++i) EXPECT_LE(home[i - 1]->due_ns, home[i]->due_ns);
}

TEST_F(ReactorTest, wakes_for_a_task_that_is_due_before_all_others) {
  Task& late = add(60'000 * kMs);
  Task& soon = add(5 * kMs);
  EXPECT_EQ(environment_.await_one(), &soon);
  Reactor::shared().cancel(late);
  environment_.await(1);
}

TEST_F(ReactorTest, sends_a_cancelled_task_home_at_once) {
  Task& task = add(60'000 * kMs);
  Reactor::shared().cancel(task);
  ASSERT_EQ(environment_.collect().size(), 1u);
  EXPECT_EQ(task.status, OFFLOOP_CANCELLED);
}

TEST_F(ReactorTest, leaves_a_task_alone_that_it_does_not_hold) {
  Task& settled = add(-1);
  environment_.await(1);
  Reactor::shared().cancel(settled);
  EXPECT_TRUE(environment_.collect().empty());
}

TEST_F(ReactorTest, cancels_a_task_that_was_stopped_before_it_came) {
  Task& task = wait_for(60'000 * kMs);
  task.stop = true;
  Reactor::shared().add(task);
  ASSERT_EQ(environment_.collect().size(), 1u);
  EXPECT_EQ(task.status, OFFLOOP_CANCELLED);
}

TEST_F(ReactorTest, waits_for_very_distant_times) {
  Task& task = wait_for(0);
  task.due_ns = INT64_MAX;
  Reactor::shared().add(task);
  Task& soon = add(1 * kMs);
  EXPECT_EQ(environment_.await_one(), &soon);
  Reactor::shared().cancel(task);
  environment_.await(1);
}

TEST_F(ReactorTest, settles_each_of_many_exactly_once_while_half_are_cancelled) {
  constexpr int kTasks = 20'000;
  std::mt19937 random(2026);
  std::vector<Task*> cancelled;
  for (int i = 0; i < kTasks; ++i) {
    Task& task = add(static_cast<int64_t>(random() % 200) * kMs / 2);
    if (i % 2) cancelled.push_back(&task);
  }
  // A task is cancelled only while it is out: what has come home may not be touched from here.
  std::vector<Task*> home = environment_.collect();
  for (Task* task : cancelled) {
    if (task->in_flight) Reactor::shared().cancel(*task);
  }
  const std::vector<Task*> rest = environment_.await_all();
  home.insert(home.end(), rest.begin(), rest.end());
  EXPECT_EQ(home.size(), size_t{kTasks});  // collect() checks that none came twice
  for (Task* task : home) EXPECT_TRUE(task->status == OFFLOOP_OK || task->status == OFFLOOP_CANCELLED);
}

TEST_F(ReactorTest, takes_tasks_from_many_threads) {
  constexpr int kThreads = 3;
  constexpr int kTasks = 2'000;
  std::vector<std::vector<Task*>> tasks(kThreads);
  for (auto& share : tasks) {
    for (int i = 0; i < kTasks; ++i) share.push_back(&wait_for(i % 20 * kMs));
  }
  std::vector<std::thread> threads;
  for (auto& share : tasks) {
    threads.emplace_back([&share] {
      for (Task* task : share) Reactor::shared().add(*task);
    });
  }
  EXPECT_EQ(environment_.await_all().size(), size_t{kThreads * kTasks});
  for (std::thread& thread : threads) thread.join();
}

TEST_F(ReactorTest, holds_no_thread_of_a_pool_while_a_task_sleeps) {
  auto options = testing::pool_options();
  options.threads = 1;
  auto pool = testing::make_pool(options);
  Task& sleeper = environment_.run(*pool, [](Call& call) { return call.settles_at(steady_ns() + 60'000 * kMs); });
  Task& other = environment_.run(*pool, [](Call& call) { return call.returns(); });
  EXPECT_EQ(environment_.await_one(), &other);
  pool->cancel(sleeper);
  EXPECT_EQ(environment_.await_one(), &sleeper);
  EXPECT_EQ(sleeper.status, OFFLOOP_CANCELLED);
  testing::close_and_wait(environment_, *pool);
}

TEST_F(ReactorTest, cancels_a_sleep_wherever_it_is_on_its_way) {
  auto pool = testing::make_pool();
  for (int i = 0; i < 3'000; ++i) {
    Task& sleeper = environment_.run(*pool, [](Call& call) { return call.settles_at(steady_ns() + 60'000 * kMs); });
    for (int spin = 0; spin < i % 50 * 20; ++spin) cpu_relax();
    pool->cancel(sleeper);
    ASSERT_EQ(environment_.await(1).size(), 1u) << "cancelled sleep " << i << " never ended";
    ASSERT_EQ(sleeper.status, OFFLOOP_CANCELLED);
  }
  testing::close_and_wait(environment_, *pool);
}

}  // namespace
}  // namespace offloop
