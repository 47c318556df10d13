#include "core/last_orders.hpp"

#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <thread>

#include "support/environment.hpp"
#include "support/gate.hpp"

namespace offloop {
namespace {

using testing::Environment;
using testing::Gate;

/// Each statement below runs in a process of its own, which it ends.
class LastOrdersDeathTest : public ::testing::Test {
 protected:
  void SetUp() override { GTEST_FLAG_SET(death_test_style, "threadsafe"); }
};

/// Never freed: the process ends with its threads in the middle of it.
struct World {
  Environment environment;
  std::shared_ptr<Pool> pool = testing::make_pool();
  Gate begun;
};

World* world = nullptr;

/// Leaves `body` at work on another thread.
void work(testing::TaskBody body) {
  LastOrders::install();
  world = new World;
  world->environment.run(*world->pool, [body](Call& call) {
    world->begun.open();
    return body(call);
  });
  world->begun.wait();
}

Status until_stopped(Call& call) {
  while (!call.stopped()) std::this_thread::yield();
  return call.cancelled();
}

[[noreturn]] Status for_ever(Call&) {
  for (;;) std::this_thread::yield();
}

TEST_F(LastOrdersDeathTest, ends_with_its_status_when_nothing_is_at_work) {
  EXPECT_EXIT(
      {
        work([](Call& call) { return call.returns(); });
        world->environment.await_all();
        std::exit(3);
      },
      ::testing::ExitedWithCode(3), "");
}

TEST_F(LastOrdersDeathTest, lets_a_body_that_looks_at_its_stop_flag_end_before_earlier_handlers_run) {
  static std::atomic<bool> ended{false};
  EXPECT_EXIT(
      {
        std::atexit([] { std::fputs(ended ? "ended first" : "still at work", stderr); });
        work([](Call& call) {
          const Status status = until_stopped(call);
          ended = true;
          return status;
        });
        std::exit(4);
      },
      ::testing::ExitedWithCode(4), "ended first");
}

TEST_F(LastOrdersDeathTest, ends_without_earlier_handlers_when_a_body_goes_on) {
#if !defined(__GLIBC__)
  GTEST_SKIP() << "this system does not tell the status to end with";
#endif
  EXPECT_EXIT(
      {
        std::atexit([] { std::fputs("torn down under a thread at work", stderr); });
        work(for_ever);
        std::exit(5);
      },
      ::testing::ExitedWithCode(5), "^$");
}

TEST_F(LastOrdersDeathTest, begins_no_task_any_more) {
  EXPECT_EXIT(
      {
        std::atexit([] {
          world->environment.run(*world->pool, [](Call& call) {
            std::fputs("it ran", stderr);
            return call.returns();
          });
          for (int i = 0; i < 10'000; ++i) std::this_thread::yield();
        });
        work(until_stopped);
        std::exit(6);
      },
      ::testing::ExitedWithCode(6), "^$");
}

}  // namespace
}  // namespace offloop
