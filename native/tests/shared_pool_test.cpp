#include "core/shared_pool.hpp"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <thread>
#include <vector>

#include "support/environment.hpp"
#include "support/faults.hpp"
#include "support/gate.hpp"

namespace offloop {
namespace {

using testing::Environment;
using testing::eventually;

Pool::Options named(const std::string& name, uint32_t threads = 2) {
  Pool::Options options = testing::pool_options();
  options.name = name;
  options.threads = threads;
  return options;
}

std::shared_ptr<SharedPool> join(const std::string& name, uint32_t threads = 2) {
  return SharedPool::join(named(name, threads), std::make_shared<Tally>());
}

/// As an environment does that leaves.
void leave(const std::shared_ptr<SharedPool>& shared, bool expect_last) {
  const bool is_last = shared->leave();
  EXPECT_EQ(is_last, expect_last);
  if (is_last) shared->pool()->close(nullptr);
}

TEST(SharedPool, is_the_same_for_all_who_join_by_its_name) {
  const auto first = join("a", 2);
  const auto second = join("a", 7);
  const auto other = join("b");
  EXPECT_EQ(first, second);
  EXPECT_NE(first, other);
  EXPECT_EQ(second->pool()->options().threads, 2u) << "the first has made it";
  leave(first, false);
  leave(second, true);
  leave(other, true);
}

TEST(SharedPool, is_made_anew_when_the_last_user_has_left) {
  const auto first = join("a", 2);
  leave(first, true);
  const auto next = join("a", 3);
  EXPECT_NE(first, next);
  EXPECT_EQ(next->pool()->options().threads, 3u);
  leave(next, true);
}

TEST(SharedPool, goes_with_its_last_user_and_its_last_thread) {
  auto shared = join("a");
  std::weak_ptr<Pool> watch = shared->pool();
  {
    Environment environment;
    environment.run(*shared->pool(), [](Call& call) { return call.returns(); });
    environment.await_all();
  }
  leave(shared, true);
  shared.reset();
  EXPECT_TRUE(eventually([&] { return watch.expired(); }));
}

TEST(SharedPool, adds_up_how_the_tasks_of_all_its_users_ended_of_those_who_have_left_too) {
  const auto mine = std::make_shared<Tally>();
  const auto theirs = std::make_shared<Tally>();
  const auto shared = SharedPool::join(named("a"), mine);
  SharedPool::join(named("a"), theirs);
  for (int i = 0; i < 3; ++i) mine->add(OFFLOOP_OK);
  theirs->add(OFFLOOP_OK);
  theirs->add(OFFLOOP_TIMEOUT);
  Tally::Sums expected{};
  expected[OFFLOOP_OK] = 4;
  expected[OFFLOOP_TIMEOUT] = 1;
  EXPECT_EQ(shared->sums(), expected);
  leave(shared, false);
  EXPECT_EQ(shared->sums(), expected);
  SharedPool::join(named("a"), std::make_shared<Tally>());
  EXPECT_EQ(shared->sums(), expected);
  leave(shared, false);
  leave(shared, true);
  const auto next = join("a");
  EXPECT_EQ(next->sums(), Tally::Sums{});
  leave(next, true);
}

TEST(SharedPool, changes_nothing_when_there_is_no_memory_to_join) {
  const auto tally = std::make_shared<Tally>();
  tally->add(OFFLOOP_OK);
  const Pool::Options options = named("a pool with a name that is too long to be kept without an allocation");
  for (int after = 0;; ++after) {
    ASSERT_LT(after, 100);
    std::shared_ptr<SharedPool> shared;
    try {
      testing::FailingAllocations now(after);
      shared = SharedPool::join(options, tally);
    } catch (const std::bad_alloc&) {
      continue;
    }
    EXPECT_GT(after, 1);
    leave(shared, true);  // nobody else has been counted
    break;
  }
  // As a second user.
  const auto first = SharedPool::join(options, tally);
  const auto second_tally = std::make_shared<Tally>();
  for (int after = 0; after < 100; ++after) {
    try {
      testing::FailingAllocations now(after);
      SharedPool::join(options, second_tally);
    } catch (const std::bad_alloc&) {
      continue;
    }
    leave(first, false);
    break;
  }
  EXPECT_EQ(first->sums()[OFFLOOP_OK], 1u);
  leave(first, true);
}

TEST(SharedPool, serves_environments_that_come_and_go_on_several_threads) {
  constexpr int kThreads = 3, kRounds = 150, kTasks = 20;
  std::atomic<int> ran{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      std::mt19937 random(t);
      for (int round = 0; round < kRounds; ++round) {
        const auto tally = std::make_shared<Tally>();
        const auto shared = SharedPool::join(named(random() % 2 ? "a" : "b"), tally);
        Environment environment;
        for (int i = 0; i < kTasks; ++i) {
          environment.run(*shared->pool(), [&ran](Call& call) {
            ++ran;
            return call.returns();
          });
        }
        for (Task* task : environment.await_all()) tally->add(task->status);
        EXPECT_GE(shared->sums()[OFFLOOP_OK], uint64_t{kTasks});
        if (shared->leave()) shared->pool()->close(nullptr);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(ran, kThreads * kRounds * kTasks);
  for (const char* name : {"a", "b"}) {
    const auto next = join(name);
    EXPECT_EQ(next->sums(), Tally::Sums{}) << "somebody was never counted out";
    leave(next, true);
  }
}

TEST(Tally, can_be_read_while_it_is_counted) {
  constexpr uint64_t kCounts = 100'000;
  Tally tally;
  std::atomic<bool> done{false};
  std::thread reader([&] {
    uint64_t before = 0;
    while (!done) {
      Tally::Sums sums{};
      tally.add_to(sums);
      ASSERT_GE(sums[OFFLOOP_OK], before);
      before = sums[OFFLOOP_OK];
    }
  });
  for (uint64_t i = 0; i < kCounts; ++i) tally.add(i % 2 ? OFFLOOP_OK : OFFLOOP_CANCELLED);
  done = true;
  reader.join();
  Tally::Sums sums{};
  tally.add_to(sums);
  EXPECT_EQ(sums[OFFLOOP_OK], kCounts / 2);
  EXPECT_EQ(sums[OFFLOOP_CANCELLED], kCounts / 2);
}

}  // namespace
}  // namespace offloop
