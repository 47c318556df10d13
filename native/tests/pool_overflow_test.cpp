#include <gtest/gtest.h>

#include <map>
#include <random>
#include <thread>

#include "support/pool_fixture.hpp"

namespace offloop {
namespace {

/// A pool whose one thread is busy, with room for three more tasks.
class PoolOverflowTest : public PoolTest {
 protected:
  void open_full(Overflow overflow, uint32_t capacity = 3) {
    auto options = pool_options();
    options.threads = 1;
    options.capacity = capacity;
    options.overflow = overflow;
    open(options);
    occupy();
  }
  Task& make(uint8_t lane, int64_t deadline_ns = Timer::kNever) {
    return environment_.make(nothing, {.priority = static_cast<uint8_t>(lane * 32), .deadline_ns = deadline_ns});
  }
  Task& submit(uint8_t lane, int64_t deadline_ns = Timer::kNever) {
    Task& task = make(lane, deadline_ns);
    EXPECT_EQ(environment_.submit(*pool_, task).count, 1u);
    return task;
  }
  void expect_refused(uint8_t lane, Status reason) {
    const Pool::Accepted accepted = environment_.submit(*pool_, make(lane));
    EXPECT_EQ(accepted.count, 0u);
    EXPECT_EQ(accepted.reason, reason);
  }
  /// The one task that has come home, given up.
  void expect_dropped(const Task& task) {
    EXPECT_EQ(environment_.await_one(), &task);
    EXPECT_EQ(task.status, OFFLOOP_DROPPED);
    EXPECT_EQ(task.lane, Task::kNoLane);
  }
  std::vector<Task*> finish() {
    gate_.open();
    return environment_.await_all();
  }
};

TEST_F(PoolOverflowTest, refuses_what_is_too_much_when_told_to_reject) {
  open_full(Overflow::reject);
  for (int i = 0; i < 3; ++i) submit(4);
  expect_refused(4, OFFLOOP_QUEUE_FULL);
  expect_refused(0, OFFLOOP_QUEUE_FULL);
  EXPECT_EQ(pool_->counts().queued, 3u);
  EXPECT_EQ(pool_->counts().waiting, 0u);
  for (Task* task : finish()) EXPECT_EQ(task->status, OFFLOOP_OK);
}

TEST_F(PoolOverflowTest, takes_everything_and_counts_the_rest_apart_when_told_to_wait) {
  open_full(Overflow::wait);
  for (int i = 0; i < 10; ++i) submit(4);
  EXPECT_EQ(pool_->counts().queued, 3u);
  EXPECT_EQ(pool_->counts().waiting, 7u);
  const std::vector<Task*> home = finish();
  EXPECT_EQ(home.size(), 11u);
  for (Task* task : home) EXPECT_EQ(task->status, OFFLOOP_OK);
  EXPECT_EQ(pool_->counts().waiting, 0u);
}

TEST_F(PoolOverflowTest, gives_the_new_one_up_when_told_to_drop_the_newest) {
  open_full(Overflow::drop_newest);
  for (int i = 0; i < 3; ++i) submit(7);
  expect_refused(0, OFFLOOP_DROPPED);
  EXPECT_EQ(pool_->counts().queued, 3u);
  for (Task* task : finish()) EXPECT_EQ(task->status, OFFLOOP_OK);
}

TEST_F(PoolOverflowTest, gives_the_oldest_up_when_told_to) {
  open_full(Overflow::drop_oldest);
  Task& first = submit(4);
  Task& second = submit(4);
  submit(4);
  submit(4);
  expect_dropped(first);
  submit(4);
  expect_dropped(second);
  EXPECT_EQ(pool_->counts().queued, 3u);
  EXPECT_EQ(pool_->counts().waiting, 0u);
  for (Task* task : finish()) EXPECT_EQ(task->status, OFFLOOP_OK);
}

TEST_F(PoolOverflowTest, gives_up_what_is_least_urgent_before_what_is_oldest) {
  open_full(Overflow::drop_oldest);
  Task& urgent = submit(0);
  Task& old = submit(6);
  Task& young = submit(6);
  submit(3);
  expect_dropped(old);
  submit(6);  // as urgent as the last ones
  expect_dropped(young);
  submit(0);
  environment_.await(1);
  for (Task* task : finish()) EXPECT_EQ(task->status, OFFLOOP_OK);
  EXPECT_EQ(urgent.status, OFFLOOP_OK);
}

TEST_F(PoolOverflowTest, gives_a_new_task_up_itself_when_all_that_wait_are_more_urgent) {
  open_full(Overflow::drop_oldest);
  for (int i = 0; i < 3; ++i) submit(3);
  expect_dropped(submit(4));
  for (Task* task : finish()) EXPECT_EQ(task->status, OFFLOOP_OK);
}

TEST_F(PoolOverflowTest, gives_up_tasks_without_deadlines_before_those_with_one) {
  open_full(Overflow::drop_oldest);
  const int64_t distant = 3'600'000'000'000;
  Task& with = submit(4, distant);
  Task& without = submit(4);
  Task& sooner = submit(4, distant / 2);
  submit(4, distant);
  expect_dropped(without);
  submit(4, distant);
  expect_dropped(sooner);
  finish();
  EXPECT_EQ(with.status, OFFLOOP_OK);
}

TEST_F(PoolOverflowTest, drops_of_one_batch_as_it_would_of_single_tasks) {
  open_full(Overflow::drop_oldest);
  std::vector<Task*> batch;
  for (int i = 0; i < 8; ++i) batch.push_back(&make(4));
  batch.push_back(&make(5));  // less urgent than all that wait, and given up itself
  batch.push_back(&make(0));  // the place of one more
  EXPECT_EQ(environment_.submit(*pool_, batch).count, 10u);
  const std::vector<Task*> dropped = environment_.await(7);
  ASSERT_EQ(dropped.size(), 7u);
  for (Task* task : dropped) EXPECT_EQ(task->status, OFFLOOP_DROPPED);
  finish();
  for (int i = 0; i < 10; ++i) {
    const bool is_given_up = i < 6 || i == 8;
    EXPECT_EQ(batch[i]->status, is_given_up ? OFFLOOP_DROPPED : OFFLOOP_OK) << i;
  }
}

TEST_F(PoolOverflowTest, drops_nothing_while_there_is_room) {
  for (Overflow overflow : {Overflow::reject, Overflow::wait, Overflow::drop_oldest, Overflow::drop_newest}) {
    auto options = pool_options();
    options.threads = 2;
    options.capacity = 5;
    options.overflow = overflow;
    open(options);
    for (int round = 0; round < 100; ++round) {
      std::vector<Task*> tasks = environment_.make_noops(7);
      ASSERT_EQ(environment_.submit(*pool_, tasks).count, 7u) << "in round " << round;
      ASSERT_EQ(environment_.await_all().size(), 7u);
      for (Task* task : tasks) ASSERT_EQ(task->status, OFFLOOP_OK);
    }
    close_and_wait(environment_, *pool_);
  }
  pool_.reset();
}

TEST_F(PoolOverflowTest, gives_up_what_others_submitted_too_and_each_has_its_own_back) {
  open_full(Overflow::drop_oldest);
  Environment other;
  Task& theirs = other.run(*pool_, nothing);
  for (int i = 0; i < 3; ++i) submit(4);
  EXPECT_EQ(other.await_one(), &theirs);
  EXPECT_EQ(theirs.status, OFFLOOP_DROPPED);
  EXPECT_TRUE(environment_.collect().empty());
}

TEST_F(PoolOverflowTest, can_be_cancelled_after_it_was_given_up) {
  open_full(Overflow::drop_oldest);
  std::vector<Task*> tasks;
  for (int i = 0; i < 50; ++i) {
    tasks.push_back(&submit(4));
    for (Task* task : tasks) {
      if (task->in_flight && i % 7 == 0) pool_->cancel(*task);
    }
  }
  finish();
  for (Task* task : tasks) EXPECT_FALSE(task->in_flight);
}

TEST_F(PoolOverflowTest, settles_each_task_once_and_counts_right_however_many_submit) {
  constexpr int kThreads = 3, kTasks = 20'000;
  for (Overflow overflow : {Overflow::drop_oldest, Overflow::drop_newest, Overflow::wait}) {
    auto options = pool_options();
    options.threads = 2;
    options.capacity = 20;
    options.overflow = overflow;
    auto pool = make_pool(options);
    std::vector<std::thread> threads;
    for (int t = 0; t < kThreads; ++t) {
      threads.emplace_back([&, t] {
        std::mt19937 random(t);
        std::vector<std::atomic<uint8_t>> runs(kTasks);
        Environment environment;
        std::map<int, int> ended;
        std::vector<Task*> home;
        const auto count = [&](const std::vector<Task*>& arrived) {
          for (Task* task : arrived) {
            ++ended[task->status];
            ASSERT_EQ(runs[task->slot], task->status == OFFLOOP_OK ? 1 : 0);
          }
        };
        for (int i = 0; i < kTasks;) {
          std::vector<Task*> batch;
          for (int size = 1 + random() % 30; size > 0 && i < kTasks; --size, ++i) {
            batch.push_back(&environment.make(
                [&runs, i](Call& call) {
                  ++runs[i];
                  return call.returns();
                },
                {.brief = random() % 2 == 0, .priority = static_cast<uint8_t>(random())}));
          }
          for (size_t next = 0; next < batch.size();) {
            const Pool::Accepted accepted = environment.submit(*pool, std::span(batch).subspan(next));
            next += accepted.count;
            if (next == batch.size()) break;
            ASSERT_NE(overflow, Overflow::wait);
            ASSERT_EQ(accepted.reason, OFFLOOP_DROPPED);
            batch[next++]->status = OFFLOOP_DROPPED;  // refused: never in flight
            ++ended[OFFLOOP_DROPPED];
          }
          count(environment.collect());
        }
        count(environment.await_all());
        EXPECT_EQ(ended[OFFLOOP_OK] + ended[OFFLOOP_DROPPED], kTasks);
        EXPECT_TRUE(overflow != Overflow::wait || ended[OFFLOOP_DROPPED] == 0);
      });
    }
    for (std::thread& thread : threads) thread.join();
    const Pool::Counts counts = pool->counts();
    EXPECT_EQ(counts.queued + counts.waiting + counts.running, 0u);
    Environment last;
    close_and_wait(last, *pool);
  }
}

}  // namespace
}  // namespace offloop
