#include <gtest/gtest.h>

#include <random>
#include <set>
#include <stdexcept>
#include <thread>

#include "support/pool_fixture.hpp"

namespace offloop {
namespace {

// --- work ---

TEST_F(PoolTest, runs_a_task_on_another_thread_and_sends_it_home) {
  open(1);
  std::thread::id where;
  Task& task = environment_.run(*pool_, [&](Call& call) {
    where = std::this_thread::get_id();
    return call.returns(Value::of(7.0));
  });
  ASSERT_EQ(environment_.await_one(), &task);
  EXPECT_NE(where, std::this_thread::get_id());
  EXPECT_EQ(task.status, OFFLOOP_OK);
  EXPECT_EQ(task.result.number, 7.0);
}

TEST_F(PoolTest, starts_no_thread_before_there_is_work) {
  open(4);
  EXPECT_EQ(pool_->counts().started, 0u);
}

TEST_F(PoolTest, runs_as_many_long_tasks_at_once_as_it_has_threads) {
  open(3);
  for (int i = 0; i < 3; ++i) occupy();
  const Pool::Counts counts = pool_->counts();
  EXPECT_EQ(counts.running, 3u);
  EXPECT_EQ(counts.started, 3u);
  EXPECT_EQ(counts.queued, 0u);
}

TEST_F(PoolTest, spreads_a_batch_of_long_tasks_over_all_its_threads) {
  open(3);
  std::atomic<int> inside{0};
  std::vector<Task*> batch;
  for (int i = 0; i < 3; ++i) {
    batch.push_back(&environment_.make([&](Call& call) {
      ++inside;
      EXPECT_TRUE(eventually([&] { return inside == 3; }));
      return call.returns();
    }));
  }
  EXPECT_EQ(environment_.submit(*pool_, batch).count, 3u);
  environment_.await(3);
}

TEST_F(PoolTest, never_runs_more_tasks_at_once_than_it_has_threads) {
  open(2);
  std::atomic<int> inside{0}, most{0};
  for (int i = 0; i < 500; ++i) {
    environment_.run(*pool_, [&](Call& call) {
      const int now = ++inside;
      int seen = most;
      while (now > seen && !most.compare_exchange_weak(seen, now)) {
      }
      --inside;
      return call.returns();
    });
  }
  environment_.await_all();
  EXPECT_LE(most, 2);
  EXPECT_LE(pool_->counts().started, 2u);
}

TEST_F(PoolTest, keeps_a_brief_task_from_waiting_behind_a_long_one_while_a_thread_is_free) {
  open(2);
  park_all(2);
  Task* long_one = &environment_.make([this](Call& call) {
    gate_.wait();
    return call.returns();
  });
  Task* brief = &environment_.make(nothing, {.brief = true});
  Task* const batch[] = {long_one, brief};
  ASSERT_EQ(environment_.submit(*pool_, batch).count, 2u);
  EXPECT_EQ(environment_.await_one(), brief);
}

TEST_F(PoolTest, keeps_brief_tasks_in_order_on_one_thread) {
  open(1);
  std::vector<Task*> tasks = environment_.make_noops(5'000);
  ASSERT_EQ(environment_.submit(*pool_, tasks).count, tasks.size());
  EXPECT_EQ(environment_.await(tasks.size()), tasks);
}

TEST_F(PoolTest, takes_brief_tasks_by_the_hand_again_after_a_few_were_slow) {
  open(1);
  for (int round = 0; round < 8; ++round) {
    std::vector<Task*> slow;
    for (int i = 0; i < 2; ++i) {
      slow.push_back(&environment_.make(
          [](Call& call) {
            const int64_t end = steady_ns() + 1'000'000;
            while (steady_ns() < end) cpu_relax();
            return call.returns();
          },
          {.brief = true}));
    }
    environment_.submit(*pool_, slow);
    environment_.await_all();
  }
  for (int round = 0; round < 100; ++round) {
    environment_.submit(*pool_, environment_.make_noops(100));
    environment_.await_all();
  }
  occupy();  // the hand that comes after it is full
  for (int i = 0; i < 16; ++i) {
    environment_.run(*pool_,
                     [&](Call& call) {
                       begun_.open();
                       second_gate_.wait();
                       return call.returns();
                     },
                     {.brief = true});
  }
  gate_.open();
  ASSERT_TRUE(begun_.wait());
  EXPECT_GT(pool_->counts().running, 1u);
  second_gate_.open();
}

TEST_F(PoolTest, counts_a_task_as_done_before_it_is_home) {
  auto options = pool_options();
  options.threads = 1;
  options.capacity = 10;
  open(options);
  for (bool brief : {false, true}) {
    for (int round = 0; round < 200; ++round) {
      for (int i = 0; i < 11; ++i) environment_.run(*pool_, nothing, {.brief = brief});
      environment_.await_all();
      ASSERT_EQ(pool_->counts().running, 0u) << "in round " << round;
    }
  }
}

TEST_F(PoolTest, loses_no_task_to_another_that_throws) {
  open(2);
  std::vector<Task*> tasks;
  for (int i = 0; i < 300; ++i) {
    const testing::TaskBody bodies[] = {
        nothing,
        [](Call&) -> Status { throw std::runtime_error("thrown"); },
        [](Call&) -> Status { throw 42; },
    };
    tasks.push_back(&environment_.run(*pool_, bodies[i % 3], {.brief = i % 2 == 0}));
  }
  environment_.await_all();
  for (int i = 0; i < 300; ++i) EXPECT_EQ(tasks[i]->status, i % 3 ? OFFLOOP_TASK_FAILED : OFFLOOP_OK);
}

// --- order and capacity ---

TEST_F(PoolTest, runs_higher_priorities_first_and_equal_ones_in_order) {
  open(1);
  occupy();
  std::vector<int> order;
  const int priorities[] = {255, 128, 0, 128, 255, 0};
  for (int i = 0; i < 6; ++i) {
    environment_.run(*pool_,
                     [&order, i](Call& call) {
                       order.push_back(i);
                       return call.returns();
                     },
                     {.priority = static_cast<uint8_t>(priorities[i])});
  }
  gate_.open();
  environment_.await_all();
  EXPECT_EQ(order, (std::vector<int>{2, 5, 1, 3, 0, 4}));
}

TEST_F(PoolTest, accepts_its_capacity_beyond_what_its_threads_can_take_and_refuses_the_rest) {
  open(2, 3);
  std::vector<Task*> tasks;
  for (int i = 0; i < 10; ++i) {
    tasks.push_back(&environment_.make([this](Call& call) {
      gate_.wait();
      return call.returns();
    }));
  }
  const Pool::Accepted accepted = environment_.submit(*pool_, tasks);
  EXPECT_EQ(accepted.count, 5u);
  EXPECT_EQ(accepted.reason, OFFLOOP_QUEUE_FULL);
  EXPECT_EQ(environment_.submit(*pool_, *tasks[5]).count, 0u);
  pool_->cancel(*tasks[4]);
  EXPECT_EQ(environment_.submit(*pool_, *tasks[5]).count, 1u) << "a cancelled task leaves room";
}

TEST_F(PoolTest, has_room_again_for_its_whole_capacity_when_everything_is_home) {
  open(1, 10);
  for (int round = 0; round < 500; ++round) {
    ASSERT_EQ(environment_.submit(*pool_, environment_.make_noops(11)).count, 11u) << "in round " << round;
    environment_.await_all();
  }
}

TEST_F(PoolTest, keeps_what_it_accepted_when_memory_runs_out) {
  open(1);
  occupy();
  std::vector<Task*> tasks = environment_.make_noops(200);
  Pool::Accepted accepted;
  {
    testing::FailingAllocations after_the_first(1);
    accepted = environment_.submit(*pool_, tasks);
  }
  EXPECT_GT(accepted.count, 0u);
  EXPECT_LT(accepted.count, 200u);
  EXPECT_EQ(accepted.reason, OFFLOOP_NO_MEMORY);
  gate_.open();
  EXPECT_EQ(environment_.await_all().size(), accepted.count + 1);
}

// --- cancelling ---

TEST_F(PoolTest, sends_a_cancelled_task_home_at_once_while_it_waits) {
  open(1);
  occupy();
  Task& first = environment_.run(*pool_, nothing);
  Task& second = environment_.run(*pool_, nothing);
  pool_->cancel(first);
  ASSERT_EQ(environment_.await_one(), &first);
  EXPECT_EQ(first.status, OFFLOOP_CANCELLED);
  EXPECT_EQ(pool_->counts().queued, 1u);
  gate_.open();
  environment_.await_all();
  EXPECT_EQ(second.status, OFFLOOP_OK);
}

TEST_F(PoolTest, shows_its_stop_flag_to_a_task_that_runs) {
  open(1);
  Task& task = environment_.run(*pool_, [&](Call& call) {
    begun_.open();
    EXPECT_TRUE(eventually([&] { return call.stopped(); }));
    return call.cancelled();
  });
  ASSERT_TRUE(begun_.wait());
  pool_->cancel(task);
  environment_.await(1);
  EXPECT_EQ(task.status, OFFLOOP_CANCELLED);
}

TEST_F(PoolTest, stops_nothing_that_comes_after_a_cancelled_task) {
  open(1);
  Task& task = environment_.run(*pool_, nothing);
  pool_->cancel(task);
  environment_.await(1);
  pool_->cancel(task);  // too late, and harmless
  task.recycle();
  EXPECT_FALSE(task.stop);
}

TEST_F(PoolTest, sends_everything_that_waits_home_when_told_to) {
  open(1);
  occupy();
  std::vector<Task*> waiting;
  for (int i = 0; i < 10; ++i) {
    waiting.push_back(&environment_.run(*pool_, nothing, {.priority = static_cast<uint8_t>(i * 25)}));
  }
  pool_->cancel_waiting();
  EXPECT_EQ(environment_.await(10).size(), 10u);
  for (Task* task : waiting) EXPECT_EQ(task->status, OFFLOOP_CANCELLED);
  EXPECT_EQ(pool_->counts().running, 1u);
}

TEST_F(PoolTest, settles_each_task_exactly_once_however_it_is_cancelled) {
  open(3);
  std::mt19937 random(2026);
  std::atomic<int> ran{0};
  size_t cancelled = 0, done = 0;
  auto settle = [&](const std::vector<Task*>& home) {
    for (Task* task : home) {
      ASSERT_TRUE(task->status == OFFLOOP_OK || task->status == OFFLOOP_CANCELLED);
      ++(task->status == OFFLOOP_OK ? done : cancelled);
    }
  };
  constexpr int kRounds = 300, kTasks = 100;
  for (int round = 0; round < kRounds; ++round) {
    std::vector<Task*> tasks;
    for (int i = 0; i < kTasks; ++i) {
      tasks.push_back(&environment_.run(*pool_,
                                        [&ran](Call& call) {
                                          ++ran;
                                          return call.returns();
                                        },
                                        {.brief = i % 3 != 0}));
    }
    for (int i = 0; i < kTasks / 2; ++i) {
      Task& task = *tasks[random() % tasks.size()];
      if (task.in_flight) pool_->cancel(task);
      if (i % 10 == 0) settle(environment_.collect());
    }
    settle(environment_.await_all());
  }
  EXPECT_EQ(done + cancelled, size_t{kRounds * kTasks});
  EXPECT_GE(static_cast<size_t>(ran), done);  // one that was stopped while it ran counts as cancelled
}

// --- the end ---

TEST_F(PoolTest, refuses_work_once_closed) {
  open(1);
  Task& farewell = *environment_.make_noops(1).front();
  environment_.expect(farewell);
  pool_->close(&farewell);
  EXPECT_EQ(environment_.await_one(), &farewell);
  Task& task = environment_.make(nothing);
  const Pool::Accepted accepted = environment_.submit(*pool_, task);
  EXPECT_EQ(accepted.count, 0u);
  EXPECT_EQ(accepted.reason, OFFLOOP_CLOSED);
  pool_.reset();
}

TEST_F(PoolTest, finishes_what_waits_before_its_last_thread_says_farewell) {
  open(3);
  for (int i = 0; i < 3; ++i) occupy();
  for (int i = 0; i < 500; ++i) environment_.run(*pool_, nothing, {.brief = i % 2 == 0});
  Task& farewell = *environment_.make_noops(1).front();
  environment_.expect(farewell);
  pool_->close(&farewell);
  EXPECT_TRUE(environment_.collect().empty());
  gate_.open();
  const std::vector<Task*> home = environment_.await_all();
  ASSERT_EQ(home.size(), 504u);
  EXPECT_EQ(home.back(), &farewell);
  for (Task* task : home) EXPECT_EQ(task->status, OFFLOOP_OK);
  EXPECT_EQ(pool_->counts().started, 0u);
  pool_.reset();
}

TEST_F(PoolTest, wakes_its_parked_threads_to_end_them) {
  open(3);
  park_all(3);
  close_and_wait(environment_, *pool_);
  EXPECT_EQ(pool_->counts().started, 0u);
  pool_.reset();
}

TEST_F(PoolTest, lives_as_long_as_its_threads_need_it) {
  open(1);
  std::weak_ptr<Pool> watch = pool_;
  occupy();
  pool_->close(nullptr);
  pool_.reset();
  EXPECT_FALSE(watch.expired());
  gate_.open();
  environment_.await_all();
  EXPECT_TRUE(eventually([&] { return watch.expired(); }));
}

}  // namespace
}  // namespace offloop
