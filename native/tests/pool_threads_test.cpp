#include <gtest/gtest.h>

#include <set>
#include <string>
#include <thread>

#include "support/pool_fixture.hpp"

#if defined(__linux__)
#include <pthread.h>
#include <signal.h>

#include <filesystem>
#include <fstream>
#endif

namespace offloop {
namespace {

TEST_F(PoolTest, starts_one_thread_for_tasks_that_come_one_after_the_other) {
  open(4);
  for (int round = 0; round < 2000; ++round) {
    environment_.run(*pool_, nothing);
    ASSERT_EQ(environment_.await(1).size(), 1u);
  }
  EXPECT_EQ(pool_->counts().started, 1u);
}

TEST_F(PoolTest, parks_threads_that_have_nothing_to_do_and_wakes_them_instead_of_starting_more) {
  open(2);
  park_all(2);
  for (int round = 0; round < 200; ++round) {
    ASSERT_TRUE(eventually([this] { return pool_->counts().parked == 2; }));
    environment_.run(*pool_, nothing);
    ASSERT_EQ(environment_.await(1).size(), 1u);
  }
  EXPECT_EQ(pool_->counts().started, 2u);
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
  open(2);
  testing::fail_thread_starts(0);
  for (int round = 0; round < 3; ++round) {
    std::vector<Task*> tasks = environment_.make_noops(10);
    ASSERT_EQ(environment_.submit(*pool_, tasks).count, 10u);
    ASSERT_EQ(environment_.await_all().size(), 10u);
    for (Task* task : tasks) {
      EXPECT_EQ(task->status, OFFLOOP_SYSTEM);
      ASSERT_TRUE(task->extras() && task->extras()->failure);
      EXPECT_EQ(task->extras()->failure->number, -EAGAIN);
      EXPECT_STREQ(task->extras()->failure->syscall, "pthread_create");
    }
  }
  EXPECT_EQ(pool_->counts().queued, 0u);
  testing::fail_thread_starts(testing::kNever);
  Task& task = environment_.run(*pool_, nothing);
  environment_.await(1);
  EXPECT_EQ(task.status, OFFLOOP_OK);
}

TEST_F(PoolTest, does_all_the_work_with_the_threads_it_has_when_no_more_can_start) {
  open(4);
  testing::fail_thread_starts(1);
  std::vector<Task*> tasks;
  for (int i = 0; i < 100; ++i) tasks.push_back(&environment_.run(*pool_, nothing));
  environment_.await_all();
  for (Task* task : tasks) EXPECT_EQ(task->status, OFFLOOP_OK);
  EXPECT_EQ(pool_->counts().started, 1u);
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

}  // namespace
}  // namespace offloop
