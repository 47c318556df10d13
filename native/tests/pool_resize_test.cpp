#include <gtest/gtest.h>

#include <cstddef>
#include <new>
#include <random>
#include <thread>

#include "support/pool_fixture.hpp"

#if defined(__linux__)
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#endif

namespace offloop {
namespace {

class PoolResizeTest : public PoolTest {
 protected:
  bool comes_to(uint32_t started) {
    return eventually([&] { return pool_->counts().started == started; });
  }
};

TEST_F(PoolResizeTest, starts_more_threads_for_what_waits_when_it_grows) {
  open(1);
  occupy();
  std::atomic<int> inside{0};
  for (int i = 0; i < 3; ++i) {
    environment_.run(*pool_, [&](Call& call) {
      ++inside;
      EXPECT_TRUE(eventually([&] { return inside == 3; }));
      return call.returns();
    });
  }
  EXPECT_EQ(pool_->counts().started, 1u);
  pool_->resize(4);
  EXPECT_EQ(pool_->counts().threads, 4u);
  EXPECT_EQ(environment_.await(3).size(), 3u) << "at once, while the first thread is busy";
}

TEST_F(PoolResizeTest, starts_no_thread_for_nothing_when_it_grows) {
  open(1);
  park_all(1);
  pool_->resize(4);
  EXPECT_EQ(pool_->counts().started, 1u);
}

TEST_F(PoolResizeTest, ends_parked_threads_at_once_when_it_shrinks) {
  open(4);
  park_all(4);
  pool_->resize(1);
  EXPECT_TRUE(comes_to(1));
  EXPECT_TRUE(eventually([this] { return pool_->counts().parked == 1; }));
  Task& task = environment_.run(*pool_, nothing);
  EXPECT_EQ(environment_.await_one(), &task);
}

TEST_F(PoolResizeTest, ends_busy_threads_when_they_have_done_what_they_hold) {
  open(3);
  for (int i = 0; i < 3; ++i) occupy();
  for (int i = 0; i < 20; ++i) environment_.run(*pool_, nothing);
  pool_->resize(1);
  EXPECT_EQ(pool_->counts().started, 3u);
  EXPECT_EQ(pool_->counts().threads, 1u);
  gate_.open();
  for (Task* task : environment_.await_all()) EXPECT_EQ(task->status, OFFLOOP_OK);
  EXPECT_TRUE(comes_to(1));
}

TEST_F(PoolResizeTest, ends_a_thread_that_lingers) {
  auto options = pool_options();
  options.threads = 2;
  options.linger_ns = 300'000'000;  // long enough to shrink meanwhile
  open(options);
  environment_.run(*pool_, [this](Call& call) {
    begun_.open();
    EXPECT_TRUE(gate_.wait() || gate_.wait());  // longer than anybody below has patience
    return call.returns();
  });
  ASSERT_TRUE(begun_.wait());
  environment_.run(*pool_, nothing);
  ASSERT_EQ(environment_.await(1).size(), 1u);
  pool_->resize(1);
  EXPECT_TRUE(comes_to(1));
}

TEST_F(PoolResizeTest, parks_its_threads_without_memory_however_it_has_shrunk) {
  open(4);
  std::atomic<int> inside{0};
  for (int i = 0; i < 4; ++i) {
    environment_.run(*pool_, [&](Call& call) {
      alignas(testing::FailingAllocations) static std::byte forever[4][sizeof(testing::FailingAllocations)];
      new (forever[inside++]) testing::FailingAllocations;  // on this thread, whatever comes
      EXPECT_TRUE(eventually([&] { return inside == 4; }));
      return call.returns();
    });
  }
  environment_.await_all();
  for (uint32_t threads : {3, 1}) {
    ASSERT_TRUE(eventually([&] { return pool_->counts().parked == pool_->counts().started; }));
    pool_->resize(threads);
    ASSERT_TRUE(comes_to(threads));
    ASSERT_TRUE(eventually([&] { return pool_->counts().parked == threads; }));
  }
}

TEST_F(PoolResizeTest, goes_on_with_a_thread_that_was_told_to_end_and_is_wanted_again) {
  open(4);
  for (int round = 0; round < 200; ++round) {
    park_all(4);
    pool_->resize(1);
    pool_->resize(4);
    ASSERT_EQ(environment_.submit(*pool_, environment_.make_noops(3)).count, 3u);
    ASSERT_EQ(environment_.await_all().size(), 3u);
  }
}

TEST_F(PoolResizeTest, has_room_for_as_many_more_as_it_has_threads) {
  open(1, 2);
  occupy();
  EXPECT_EQ(environment_.submit(*pool_, environment_.make_noops(5)).count, 2u);
  pool_->resize(3);
  environment_.await(2);
  occupy();
  occupy();
  EXPECT_EQ(environment_.submit(*pool_, environment_.make_noops(5)).count, 2u);
  pool_->resize(1);
  EXPECT_EQ(environment_.submit(*pool_, environment_.make_noops(1)).count, 0u);
  EXPECT_EQ(pool_->counts().queued, 0u);
  EXPECT_EQ(pool_->counts().waiting, 2u) << "accepted when there was room for them";
}

TEST_F(PoolResizeTest, fails_what_waits_when_none_of_the_threads_that_were_to_come_can_start) {
  open(1);
  std::atomic<int> starts{0};
  const std::function<void()> at_start = [&] {
    const bool is_first = ++starts == 1;
    (is_first ? begun_ : second_gate_).open();
    (is_first ? second_gate_ : gate_).wait();  // the first fails while the second is under way
  };
  std::vector<Task*> tasks{&environment_.make(nothing), &environment_.make(nothing)};
  testing::fail_thread_starts(0);
  testing::at_thread_starts(&at_start);
  std::thread submits([&] { EXPECT_EQ(environment_.submit(*pool_, tasks).count, 2u); });
  ASSERT_TRUE(begun_.wait());
  std::thread resizes([&] { pool_->resize(2); });
  submits.join();  // its thread has failed, and it counts on the second
  gate_.open();
  resizes.join();
  testing::at_thread_starts(nullptr);
  testing::fail_thread_starts(testing::kNever);
  EXPECT_EQ(environment_.await(2).size(), 2u);
  for (Task* task : tasks) EXPECT_EQ(task->status, OFFLOOP_SYSTEM);
}

#if defined(__linux__)

/// Threads of the process by name, of those that belong to the pool.
std::map<std::string, int> names_of_threads() {
  std::map<std::string, int> names;
  std::error_code gone;
  for (const auto& thread : std::filesystem::directory_iterator("/proc/self/task", gone)) {
    std::string name;
    std::getline(std::ifstream(thread.path() / "comm"), name);
    if (name.starts_with("test/")) ++names[name];
  }
  return names;
}

TEST_F(PoolResizeTest, really_ends_threads_and_gives_their_names_to_the_next) {
  open(4);
  for (int round = 0; round < 10; ++round) {
    park_all(4);
    pool_->resize(2);
    ASSERT_TRUE(eventually([] { return names_of_threads().size() == 2; }));
    pool_->resize(4);
    park_all(4);
    const std::map<std::string, int> names = names_of_threads();
    EXPECT_EQ(names, (std::map<std::string, int>{{"test/0", 1}, {"test/1", 1}, {"test/2", 1}, {"test/3", 1}}));
  }
}

#endif

TEST_F(PoolResizeTest, loses_no_task_however_it_is_resized_while_others_submit) {
  for (int64_t linger_ns : {0, 20'000}) {
    auto options = pool_options();
    options.threads = 2;
    options.linger_ns = linger_ns;
    auto pool = make_pool(options);
    std::atomic<int> at_work{2};
    std::vector<std::thread> threads;
    for (int t = 0; t < 2; ++t) {
      threads.emplace_back([&, t] {
        std::mt19937 random(t);
        Environment environment;
        for (int i = 0; i < 3'000; ++i) {
          if (random() % 2) {
            environment.submit(*pool, environment.make_noops(1 + random() % 20));
          } else {
            environment.run(*pool,
                            [](Call& call) { return --call.state<int>(3) > 0 ? call.yields() : call.returns(); });
          }
          if (random() % 4 == 0) environment.await_all();
        }
        environment.await_all();
        --at_work;
      });
    }
    std::mt19937 random(2026);
    while (at_work > 0) {
      pool->resize(1 + random() % 5);
      for (uint32_t spin = random() % 2'000; spin > 0; --spin) cpu_relax();
    }
    for (std::thread& thread : threads) thread.join();
    pool->resize(2);
    EXPECT_TRUE(eventually([&] { return pool->counts().started <= 2; }));
    Environment last;
    close_and_wait(last, *pool);
    EXPECT_EQ(pool->counts().started, 0u);
  }
}

TEST_F(PoolResizeTest, ends_all_its_threads_when_it_is_closed_while_it_is_resized) {
  for (int round = 0; round < 200; ++round) {
    auto pool = make_pool();
    Environment environment;
    environment.submit(*pool, environment.make_noops(1 + round % 9));
    if (round % 2) environment.await_all();
    std::atomic<bool> closed{false};
    std::thread resizes([&] {
      for (uint32_t i = 0; !closed; ++i) pool->resize(1 + i % 4);
    });
    for (int i = 0; i < 4; ++i) environment.run(*pool, nothing);
    close_and_wait(environment, *pool);
    EXPECT_EQ(pool->counts().started, 0u) << "in round " << round;
    closed = true;
    resizes.join();
    EXPECT_EQ(pool->counts().started, 0u);
  }
}

}  // namespace
}  // namespace offloop
