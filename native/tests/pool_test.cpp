#include "core/pool.hpp"

#include <gtest/gtest.h>

#include <random>
#include <set>
#include <stdexcept>
#include <thread>

#include "support/environment.hpp"
#include "support/faults.hpp"
#include "support/gate.hpp"

#if defined(__linux__)
#include <pthread.h>
#include <signal.h>

#include <filesystem>
#include <fstream>
#endif

namespace offloop {
namespace {

using testing::close_and_wait;
using testing::Environment;
using testing::eventually;
using testing::Gate;
using testing::make_pool;
using testing::pool_options;

/// A pool that closes in order, and an environment that uses it.
class PoolTest : public ::testing::Test {
 protected:
  void open(Pool::Options options) { pool_ = make_pool(std::move(options)); }
  void open(uint32_t threads, uint32_t capacity = 1u << 20) {
    auto options = pool_options();
    options.threads = threads;
    options.capacity = capacity;
    open(options);
  }
  void TearDown() override {
    testing::fail_thread_starts(testing::kNever);
    gate_.open();
    second_gate_.open();
    environment_.await_all();
    if (pool_) close_and_wait(environment_, *pool_);
  }

  /// A task that waits at the gate, and has begun when this returns.
  Task& occupy() {
    auto begun = std::make_shared<Gate>();
    Task& task = environment_.run(*pool_, [this, begun](Call& call) {
      begun->open();
      gate_.wait();
      return call.returns();
    });
    EXPECT_TRUE(begun->wait());
    return task;
  }
  /// Starts all threads, and has them parked when this returns.
  void park_all(uint32_t threads) {
    auto all_here = std::make_shared<std::atomic<uint32_t>>(0);
    for (uint32_t i = 0; i < threads; ++i) {
      environment_.run(*pool_, [all_here, threads](Call& call) {
        ++*all_here;
        EXPECT_TRUE(eventually([&] { return *all_here == threads; }));
        return call.returns();
      });
    }
    environment_.await_all();
    ASSERT_TRUE(eventually([&] { return pool_->counts().parked == threads; }));
  }
  static Status nothing(Call& call) { return call.returns(); }

  std::shared_ptr<Pool> pool_;
  Gate gate_;
  Gate second_gate_;
  Gate begun_;
  Environment environment_;
};

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
  EXPECT_EQ(pool_->counts().threads, 0u);
}

TEST_F(PoolTest, runs_as_many_long_tasks_at_once_as_it_has_threads) {
  open(3);
  for (int i = 0; i < 3; ++i) occupy();
  const Pool::Counts counts = pool_->counts();
  EXPECT_EQ(counts.running, 3u);
  EXPECT_EQ(counts.threads, 3u);
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
  EXPECT_LE(pool_->counts().threads, 2u);
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
  EXPECT_EQ(pool_->counts().threads, 0u);
  pool_.reset();
}

TEST_F(PoolTest, wakes_its_parked_threads_to_end_them) {
  open(3);
  park_all(3);
  close_and_wait(environment_, *pool_);
  EXPECT_EQ(pool_->counts().threads, 0u);
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

// --- threads ---

TEST_F(PoolTest, parks_threads_that_have_nothing_to_do_and_wakes_them_instead_of_starting_more) {
  open(2);
  park_all(2);
  for (int round = 0; round < 200; ++round) {
    ASSERT_TRUE(eventually([this] { return pool_->counts().parked == 2; }));
    environment_.run(*pool_, nothing);
    ASSERT_EQ(environment_.await(1).size(), 1u);
  }
  EXPECT_EQ(pool_->counts().threads, 2u);
}

#if defined(__linux__)

std::string line_of(const std::filesystem::path& path, const std::string& label) {
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with(label)) return line.substr(label.size());
  }
  return "";
}

TEST_F(PoolTest, names_its_threads_and_blocks_signals_in_them) {
  auto options = pool_options();
  options.name = "images";
  options.threads = 2;
  open(options);
  for (int i = 0; i < 2; ++i) occupy();
  std::set<std::string> names;
  for (const auto& thread : std::filesystem::directory_iterator("/proc/self/task")) {
    const std::string name = line_of(thread.path() / "comm", "");
    if (!name.starts_with("images/")) continue;
    names.insert(name);
    const uint64_t blocked = std::stoull(line_of(thread.path() / "status", "SigBlk:\t"), nullptr, 16);
    for (int signal : {SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGCHLD, SIGPIPE}) {
      EXPECT_TRUE(blocked >> (signal - 1) & 1) << strsignal(signal);
    }
    EXPECT_FALSE(blocked >> (SIGSEGV - 1) & 1);
  }
  EXPECT_EQ(names, (std::set<std::string>{"images/0", "images/1"}));
}

TEST_F(PoolTest, gives_its_threads_the_stack_it_was_told) {
  auto options = pool_options();
  options.stack_bytes = 3u << 20;
  open(options);
  size_t stack = 0;
  environment_.run(*pool_, [&](Call& call) {
    pthread_attr_t attributes;
    pthread_getattr_np(pthread_self(), &attributes);
    pthread_attr_getstacksize(&attributes, &stack);
    pthread_attr_destroy(&attributes);
    return call.returns();
  });
  environment_.await(1);
  EXPECT_GE(stack, 3u << 20);
  EXPECT_LT(stack, 4u << 20);
}

#endif

TEST_F(PoolTest, fails_its_tasks_when_its_first_thread_cannot_start_and_recovers_when_one_can) {
  if (!testing::can_fail_thread_starts()) GTEST_SKIP() << "no way to make a thread fail on this system";
  open(2);
  testing::fail_thread_starts(0);
  for (int round = 0; round < 3; ++round) {
    std::vector<Task*> tasks = environment_.make_noops(10);
    ASSERT_EQ(environment_.submit(*pool_, tasks).count, 10u);
    ASSERT_EQ(environment_.await_all().size(), 10u);
    for (Task* task : tasks) {
      EXPECT_EQ(task->status, OFFLOOP_SYSTEM);
      ASSERT_TRUE(task->failure);
      EXPECT_EQ(task->failure->number, -EAGAIN);
      EXPECT_STREQ(task->failure->syscall, "pthread_create");
    }
  }
  EXPECT_EQ(pool_->counts().queued, 0u);
  testing::fail_thread_starts(testing::kNever);
  Task& task = environment_.run(*pool_, nothing);
  environment_.await(1);
  EXPECT_EQ(task.status, OFFLOOP_OK);
}

TEST_F(PoolTest, does_all_the_work_with_the_threads_it_has_when_no_more_can_start) {
  if (!testing::can_fail_thread_starts()) GTEST_SKIP() << "no way to make a thread fail on this system";
  open(4);
  testing::fail_thread_starts(1);
  std::vector<Task*> tasks;
  for (int i = 0; i < 100; ++i) tasks.push_back(&environment_.run(*pool_, nothing));
  environment_.await_all();
  for (Task* task : tasks) EXPECT_EQ(task->status, OFFLOOP_OK);
  EXPECT_EQ(pool_->counts().threads, 1u);
}

TEST_F(PoolTest, fails_its_tasks_when_there_is_no_memory_for_its_first_thread) {
  open(1);
  std::vector<Task*> tasks = environment_.make_noops(1);
  Pool::Accepted accepted;
  {
    testing::FailingAllocations after_the_lane(1);
    accepted = environment_.submit(*pool_, tasks);
  }
  ASSERT_EQ(accepted.count, 1u);
  environment_.await(1);
  EXPECT_EQ(tasks[0]->status, OFFLOOP_SYSTEM);
}

// --- load ---

class PoolUnderLoad : public ::testing::TestWithParam<int64_t> {};

TEST_P(PoolUnderLoad, runs_every_task_exactly_once_for_several_environments_in_several_pools) {
  constexpr uint32_t kEnvironments = 3, kTasks = 50'000;
  std::vector<std::shared_ptr<Pool>> pools;
  for (int i = 0; i < 2; ++i) {
    auto options = pool_options();
    options.threads = 2;
    options.capacity = 700;  // small enough to refuse now and then
    options.linger_ns = GetParam();
    pools.push_back(make_pool(options));
  }
  std::vector<std::thread> threads;
  for (uint32_t e = 0; e < kEnvironments; ++e) {
    threads.emplace_back([&pools, e] {
      std::mt19937 random(e);
      std::vector<std::atomic<uint8_t>> runs(kTasks);
      Environment environment;
      std::vector<Task*> tasks;
      for (uint32_t i = 0; i < kTasks; ++i) {
        tasks.push_back(&environment.make(
            [&runs, i](Call& call) {
              ++runs[i];
              return call.returns(Value::of(static_cast<double>(i)));
            },
            {.brief = random() % 4 != 0, .priority = static_cast<uint8_t>(random())}));
      }
      size_t home = 0;
      auto check = [&](const std::vector<Task*>& arrived) {
        home += arrived.size();
        for (Task* task : arrived) {
          ASSERT_EQ(task->status, OFFLOOP_OK);
          ASSERT_EQ(task->result.number, task->slot);
        }
      };
      for (size_t next = 0; next < tasks.size();) {
        const size_t size = std::min<size_t>(1 + random() % 300, tasks.size() - next);
        const auto batch = std::span(tasks).subspan(next, size);
        const Pool::Accepted accepted = environment.submit(*pools[random() % pools.size()], batch);
        next += accepted.count;
        if (accepted.count < size) {
          ASSERT_EQ(accepted.reason, OFFLOOP_QUEUE_FULL);
          if (environment.outstanding() > 0) check(environment.await(1));
        } else if (random() % 4 == 0) {
          check(environment.collect());
        }
      }
      check(environment.await_all());
      EXPECT_EQ(home, size_t{kTasks});
      for (uint32_t i = 0; i < kTasks; ++i) ASSERT_EQ(runs[i], 1) << "task " << i;
    });
  }
  for (std::thread& thread : threads) thread.join();
  Environment last;
  for (auto& pool : pools) close_and_wait(last, *pool);
}

TEST_P(PoolUnderLoad, loses_no_task_to_threads_that_go_to_sleep) {
  auto options = pool_options();
  options.threads = 2;
  options.linger_ns = GetParam();
  auto pool = make_pool(options);
  Environment environment;
  std::mt19937 random(2026);
  for (int i = 0; i < 10'000; ++i) {
    environment.submit(*pool, environment.make_noops(1 + random() % 3));
    for (uint32_t spin = random() % 200; spin > 0; --spin) cpu_relax();
    if (random() % 4 == 0) continue;
    ASSERT_FALSE(environment.await_all().empty()) << "in round " << i;
  }
  environment.await_all();
  close_and_wait(environment, *pool);
}

TEST_P(PoolUnderLoad, closes_in_order_while_others_submit) {
  for (int round = 0; round < 200; ++round) {
    auto options = pool_options();
    options.threads = 2;
    options.linger_ns = GetParam();
    auto pool = make_pool(options);
    std::atomic<bool> submits{false};
    std::thread other([&] {
      Environment environment;
      for (int i = 0; i < 1'000; ++i) {
        const Pool::Accepted accepted = environment.submit(*pool, environment.make_noops(2));
        submits = true;
        if (accepted.count < 2) {
          EXPECT_EQ(accepted.reason, OFFLOOP_CLOSED);
          break;
        }
      }
      environment.await_all();
    });
    while (!submits) std::this_thread::yield();
    Environment environment;
    close_and_wait(environment, *pool);
    other.join();
  }
}

INSTANTIATE_TEST_SUITE_P(Linger, PoolUnderLoad, ::testing::Values(0, 10'000, 50'000),
                         [](const auto& info) { return "of_" + std::to_string(info.param) + "_ns"; });

}  // namespace
}  // namespace offloop
