#include <gtest/gtest.h>

#include <thread>

#include "support/alarm.hpp"
#include "support/pool_fixture.hpp"

namespace offloop {
namespace {

using testing::kMs;

class PoolTimesTest : public PoolTest {
 protected:
  /// When all threads have done what follows a task's way home.
  std::unique_ptr<Times::Total> times(uint64_t turns) {
    auto total = std::make_unique<Times::Total>();
    EXPECT_TRUE(eventually([&] {
      *total = {};
      pool_->add_times(*total);
      return total->run.count() >= turns && total->queued.count() >= turns;
    }));
    EXPECT_EQ(total->queued.count(), turns);
    EXPECT_EQ(total->run.count(), turns);
    return total;
  }
  static Status use_processor(Call& call) {
    const CpuClock clock = CpuClock::of_this_thread();
    const int64_t end = clock.now_ns() + 3 * kMs;
    while (clock.now_ns() < end) cpu_relax();
    return call.returns();
  }
};

TEST_F(PoolTimesTest, are_none_before_there_was_a_task) {
  open(2);
  EXPECT_EQ(times(0)->run.max(), 0u);
}

TEST_F(PoolTimesTest, count_every_task_once) {
  open(3);
  for (int i = 0; i < 300; ++i) {
    const auto timeout = i % 5 ? Timer::kNever : testing::kDistant;
    environment_.run(*pool_, nothing, {.brief = i % 2 == 0, .timeout_ns = timeout});
  }
  environment_.await_all();
  times(300);
}

TEST_F(PoolTimesTest, count_no_task_that_never_ran) {
  open(1);
  Task& running = occupy();
  for (int i = 0; i < 5; ++i) pool_->cancel(environment_.run(*pool_, nothing));
  environment_.run(*pool_, nothing, {.deadline_ns = 1});
  gate_.open();
  environment_.await_all();
  EXPECT_EQ(running.status, OFFLOOP_OK);
  times(1);
}

TEST_F(PoolTimesTest, count_each_turn_and_each_sleeper) {
  open(1);
  for (bool controlled : {false, true}) {
    const auto timeout = controlled ? testing::kDistant : Timer::kNever;
    environment_.run(*pool_, [](Call& call) { return --call.state<int>(4) > 0 ? call.yields() : call.returns(); },
                     {.timeout_ns = timeout});
    environment_.run(*pool_, [](Call& call) { return call.settles_at(steady_ns() + 1); }, {.timeout_ns = timeout});
  }
  environment_.await_all();
  times(10);
}

TEST_F(PoolTimesTest, tell_waiting_from_running_and_running_from_using_the_processor) {
  for (bool controlled : {false, true}) {
    open(1);
    environment_.run(*pool_, use_processor);  // from now on the processor's time is looked at
    environment_.await(1);
    Task& waits = environment_.run(*pool_,
                                   [this](Call& call) {
                                     begun_.open();
                                     std::this_thread::sleep_for(std::chrono::milliseconds(40));  // uses no processor
                                     return call.returns();
                                   },
                                   {.timeout_ns = controlled ? testing::kDistant : Timer::kNever});
    environment_.run(*pool_, nothing);  // behind it
    environment_.await_all();
    const auto total = times(3);
    EXPECT_GE(total->run.max(), static_cast<uint64_t>(40 * kMs));
    EXPECT_GE(total->cpu.max(), static_cast<uint64_t>(3 * kMs));
    const auto sum = [](const Histogram::Total& each) { return each.mean() * static_cast<double>(each.count()); };
    EXPECT_GT(sum(total->run) - sum(total->cpu), static_cast<double>(20 * kMs)) << "it waits, and uses no processor";
    EXPECT_GT(total->queued.max(), static_cast<uint64_t>(20 * kMs)) << "what came behind it";
    EXPECT_EQ(waits.status, OFFLOOP_OK);
    close_and_wait(environment_, *pool_);
    pool_.reset();
  }
}

TEST_F(PoolTimesTest, keep_a_limited_task_apart_from_the_rest_of_its_hand) {
  open(1);
  occupy();
  for (int i = 0; i < 9; ++i) {
    environment_.run(*pool_,
                     [i](Call& call) {
                       if (i == 4) testing::pass(30 * kMs);
                       return call.returns();
                     },
                     {.brief = true, .timeout_ns = i == 4 ? testing::kDistant : Timer::kNever});
  }
  testing::pass(1 * kMs);  // so that the first waits longer than all of a hand together
  gate_.open();
  environment_.await_all();
  const auto total = times(10);
  EXPECT_GE(total->run.max(), static_cast<uint64_t>(30 * kMs));
  EXPECT_LT(total->run.percentile(0.75), static_cast<uint64_t>(20 * kMs)) << "the others were not as slow";
}

TEST_F(PoolTimesTest, go_on_through_threads_that_end) {
  open(3);
  park_all(3);
  pool_->resize(1);
  ASSERT_TRUE(eventually([this] { return pool_->counts().started == 1; }));
  times(3);
  pool_->resize(3);
  park_all(3);
  times(6);
}

TEST_F(PoolTimesTest, can_be_read_while_threads_work) {
  open(3);
  std::atomic<bool> done{false};
  std::thread reader([&] {
    uint64_t before = 0;
    while (!done) {
      Times::Total total;
      pool_->add_times(total);
      ASSERT_GE(total.run.count(), before);
      before = total.run.count();
    }
  });
  for (int round = 0; round < 100; ++round) {
    environment_.submit(*pool_, environment_.make_noops(100));
    environment_.await_all();
  }
  times(10'000);
  done = true;
  reader.join();
}

}  // namespace
}  // namespace offloop
