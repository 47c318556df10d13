#include <gtest/gtest.h>

#include <algorithm>
#include <cerrno>
#include <random>
#include <thread>
#include <vector>

#include "core/limits.hpp"
#include "support/alarm.hpp"
#include "support/pool_fixture.hpp"

namespace offloop {
namespace {

using testing::kDistant;
using testing::kMs;

class SleepTest : public PoolTest {
 protected:
  /// A task that a worker would send to sleep for `ns` from now.
  Task& sleeper(int64_t ns) {
    Task& task = *environment_.make_noops(1).front();
    task.result = Value::of(steady_ns() + ns);
    environment_.expect(task);
    return task;
  }
  Task& put_to_sleep(int64_t ns) {
    Task& task = sleeper(ns);
    limits::sleep(task);
    return task;
  }
  static testing::TaskBody sleep_for(int64_t ns) {
    return [ns](Call& call) { return call.settles_at(steady_ns() + ns); };
  }
};

// First in its program: the reactor starts once for the process.
TEST_F(SleepTest, fails_when_the_reactor_cannot_run_and_is_tried_again_with_the_next_task) {
  testing::fail_thread_starts(0);
  Task& refused = put_to_sleep(1 * kMs);
  EXPECT_EQ(environment_.await_one(), &refused);
  EXPECT_EQ(refused.status, OFFLOOP_SYSTEM);
  ASSERT_TRUE(refused.extras() && refused.extras()->failure);
  EXPECT_EQ(refused.extras()->failure->number, -EAGAIN);
  EXPECT_EQ(refused.result.kind, OFFLOOP_UNDEFINED);
  testing::fail_thread_starts(testing::kNever);
  Task& next = put_to_sleep(1 * kMs);
  EXPECT_EQ(environment_.await_one(), &next);
  EXPECT_EQ(next.status, OFFLOOP_OK);
}

TEST_F(SleepTest, ends_at_its_time_and_never_before) {
  for (int64_t ns : {1 * kMs, 3 * kMs + 1, 20 * kMs, int64_t{1}}) {
    const int64_t due = steady_ns() + ns;
    Task& task = put_to_sleep(ns);
    EXPECT_EQ(environment_.await_one(), &task);
    EXPECT_GE(steady_ns(), due);
    EXPECT_EQ(task.status, OFFLOOP_OK);
    EXPECT_EQ(task.result.kind, OFFLOOP_UNDEFINED);
  }
}

TEST_F(SleepTest, ends_at_once_when_its_time_is_over) {
  Task& task = put_to_sleep(-1 * kMs);
  ASSERT_EQ(environment_.collect().size(), 1u);
  EXPECT_EQ(task.status, OFFLOOP_OK);
}

TEST_F(SleepTest, ends_in_the_order_of_times) {
  std::vector<Task*> tasks;
  {
    testing::Held reactor_is_held;
    for (int64_t ms : {5, 3, 4, 2, 6}) tasks.push_back(&put_to_sleep(ms * kMs));
  }
  EXPECT_EQ(environment_.await(5), (std::vector<Task*>{tasks[3], tasks[1], tasks[2], tasks[0], tasks[4]}));
}

TEST_F(SleepTest, ends_at_once_when_it_is_cancelled) {
  Task& task = put_to_sleep(kDistant);
  task.stop = true;
  limits::wake(task);
  ASSERT_EQ(environment_.collect().size(), 1u);
  EXPECT_EQ(task.status, OFFLOOP_CANCELLED);
}

TEST_F(SleepTest, is_cancelled_at_once_when_it_was_stopped_before) {
  Task& task = sleeper(kDistant);
  task.stop = true;
  limits::sleep(task);
  ASSERT_EQ(environment_.collect().size(), 1u);
  EXPECT_EQ(task.status, OFFLOOP_CANCELLED);
}

TEST_F(SleepTest, leaves_a_task_alone_that_no_longer_sleeps) {
  Task& settled = put_to_sleep(1);
  environment_.await(1);
  limits::wake(settled);
  EXPECT_TRUE(environment_.collect().empty());
  EXPECT_EQ(settled.status, OFFLOOP_OK);
}

TEST_F(SleepTest, fails_when_there_is_no_memory_for_one_more) {
  std::vector<Task*> tasks;
  {
    testing::Held reactor_is_held;
    for (Task* last = nullptr; !last || last->status == OFFLOOP_OK; tasks.push_back(last)) {
      ASSERT_LT(tasks.size(), 100'000u);
      last = &sleeper(kDistant);
      testing::FailingAllocations now;
      limits::sleep(*last);
    }
    EXPECT_EQ(tasks.back()->status, OFFLOOP_SYSTEM);
    EXPECT_EQ(environment_.await_one(), tasks.back());
  }
  tasks.pop_back();
  for (Task* task : tasks) limits::wake(*task);
  EXPECT_EQ(environment_.collect().size(), tasks.size());
}

// --- from a pool ---

TEST_F(SleepTest, holds_no_thread_of_a_pool) {
  open(1);
  Task& asleep = environment_.run(*pool_, sleep_for(kDistant));
  Task& other = environment_.run(*pool_, nothing);
  EXPECT_EQ(environment_.await_one(), &other);
  EXPECT_TRUE(eventually([this] { return pool_->counts().running == 0; }));
  pool_->cancel(asleep);
  EXPECT_EQ(environment_.await_one(), &asleep);
  EXPECT_EQ(asleep.status, OFFLOOP_CANCELLED);
}

TEST_F(SleepTest, is_over_when_the_run_time_of_its_task_is) {
  open(1);
  Task& cut = environment_.run(*pool_, sleep_for(kDistant), {.timeout_ns = 10 * kMs});
  const int64_t accepted = cut.accepted_ns;
  EXPECT_EQ(environment_.await_one(), &cut);
  EXPECT_EQ(cut.status, OFFLOOP_TIMEOUT);
  EXPECT_GE(steady_ns() - accepted, 10 * kMs);
  EXPECT_TRUE(environment_.news().empty()) << "it is home, so there is nothing to tell before";
  Task& in_time = environment_.run(*pool_, sleep_for(2 * kMs), {.timeout_ns = 10'000 * kMs});
  EXPECT_EQ(environment_.await_one(), &in_time);
  EXPECT_EQ(in_time.status, OFFLOOP_OK);
  EXPECT_FALSE(Reactor::shared().disarm(in_time));
}

TEST_F(SleepTest, counts_the_time_before_it_as_run_time) {
  open(1);
  Task& task = environment_.run(*pool_,
                                [this](Call& call) {
                                  begun_.open();
                                  gate_.wait();
                                  return call.settles_at(steady_ns() + kDistant);
                                },
                                {.timeout_ns = 20 * kMs});
  ASSERT_TRUE(begun_.wait());
  testing::pass(30 * kMs);
  gate_.open();
  EXPECT_EQ(environment_.await_one(), &task);
  EXPECT_EQ(task.status, OFFLOOP_TIMEOUT);
  ASSERT_EQ(environment_.news().size(), 1u) << "it was told while the body ran";
  EXPECT_EQ(environment_.news()[0].cut, OFFLOOP_TIMEOUT);
}

TEST_F(SleepTest, does_not_begin_when_a_limit_has_stopped_the_body) {
  open(1);
  Task& task = environment_.run(*pool_,
                                [](Call& call) {
                                  EXPECT_TRUE(eventually([&] { return call.stopped(); }));
                                  return call.settles_at(steady_ns() + kDistant);
                                },
                                {.budget_ns = 1});
  EXPECT_EQ(environment_.await_one(), &task);
  EXPECT_EQ(task.status, OFFLOOP_CANCELLED);
  ASSERT_EQ(environment_.news().size(), 1u);
  EXPECT_EQ(environment_.news()[0].cut, OFFLOOP_BUDGET);
}

TEST_F(SleepTest, can_be_cancelled_wherever_it_is_on_its_way) {
  open(4);
  for (int i = 0; i < 3'000; ++i) {
    const int64_t timeout = i % 3 == 0 ? kDistant : Timer::kNever;
    Task& task = environment_.run(*pool_, sleep_for(kDistant), {.timeout_ns = timeout});
    for (int spin = 0; spin < i % 50 * 20; ++spin) cpu_relax();
    pool_->cancel(task);
    ASSERT_EQ(environment_.await(1).size(), 1u) << "cancelled sleep " << i << " never ended";
    ASSERT_EQ(task.status, OFFLOOP_CANCELLED);
  }
}

TEST_F(SleepTest, settles_each_of_many_exactly_once_while_half_are_cancelled) {
  constexpr int kTasks = 20'000;
  std::mt19937 random(2026);
  std::vector<Task*> cancelled;
  for (int i = 0; i < kTasks; ++i) {
    Task& task = put_to_sleep(static_cast<int64_t>(random() % 200) * kMs / 2);
    if (i % 2) cancelled.push_back(&task);
  }
  // A task is cancelled only while it is out: what has come home may not be touched from here.
  std::vector<Task*> home = environment_.collect();
  for (Task* task : cancelled) {
    if (!task->in_flight) continue;
    task->stop = true;
    limits::wake(*task);
  }
  const std::vector<Task*> rest = environment_.await_all();
  home.insert(home.end(), rest.begin(), rest.end());
  EXPECT_EQ(home.size(), size_t{kTasks});  // collect() checks that none came twice
  for (Task* task : home) EXPECT_TRUE(task->status == OFFLOOP_OK || task->status == OFFLOOP_CANCELLED);
}

TEST_F(SleepTest, begins_on_many_threads_at_once) {
  constexpr int kThreads = 3;
  constexpr int kTasks = 2'000;
  std::vector<std::vector<Task*>> tasks(kThreads);
  for (auto& share : tasks) {
    for (int i = 0; i < kTasks; ++i) share.push_back(&sleeper(i % 20 * kMs));
  }
  std::vector<std::thread> threads;
  for (auto& share : tasks) {
    threads.emplace_back([&share] {
      for (Task* task : share) limits::sleep(*task);
    });
  }
  EXPECT_EQ(environment_.await_all().size(), size_t{kThreads * kTasks});
  for (std::thread& thread : threads) thread.join();
}

}  // namespace
}  // namespace offloop
