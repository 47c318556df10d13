#include <gtest/gtest.h>

#include <random>
#include <set>
#include <string>
#include <thread>

#include "support/pool_fixture.hpp"

namespace offloop {
namespace {

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
