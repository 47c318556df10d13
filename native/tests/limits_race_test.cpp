// Tasks whose end and whose limits come at the same time, in slots that are used again at once.
#include <gtest/gtest.h>

#include <map>
#include <random>
#include <set>
#include <vector>

#include "support/alarm.hpp"
#include "support/pool_fixture.hpp"

namespace offloop {
namespace {

using testing::kDistant;
using testing::TaskBody;

class LimitsRaceTest : public PoolTest {
 protected:
  static constexpr int kSlots = 64;

  struct Outcome {
    int home = 0;
    int cut = 0;
    std::map<int, int> by_status;
  };

  /// Runs `count` tasks, each made anew by `make_again` as soon as the one in its slot is home and checked.
  template <class MakeAgain, class Check>
  Outcome race(int count, MakeAgain&& make_again, Check&& check) {
    Outcome outcome;
    std::map<Task*, std::vector<Environment::News>> told;
    size_t heard = environment_.news().size();
    int begun = 0;
    auto begin = [&](Task& task) {
      make_again(task, begun++);
      EXPECT_EQ(environment_.submit(*pool_, task).count, 1u);
    };
    for (int i = 0; i < kSlots; ++i) begin(environment_.make(nothing));
    while (outcome.home < count && !HasFailure()) {
      const std::vector<Task*> home = environment_.await(1);
      for (; heard < environment_.news().size(); ++heard) {
        told[environment_.news()[heard].task].push_back(environment_.news()[heard]);
      }
      for (Task* task : home) {
        ++outcome.home;
        ++outcome.by_status[task->status];
        outcome.cut += !told[task].empty();
        check(*task, std::exchange(told[task], {}));
        if (begun < count) begin(*task);
      }
    }
    EXPECT_EQ(heard, environment_.news().size());
    return outcome;
  }

  std::mt19937 random_{2026};
};

TEST_F(LimitsRaceTest, each_task_is_home_once_and_its_one_notice_before_it) {
  constexpr int kTasks = 12'000;
  open(3);
  const Outcome outcome = race(
      kTasks,
      [&](Task& task, int) {
        const int64_t runs_ns = random_() % 150'000;
        const bool looks = random_() % 2;
        const TaskBody body = [runs_ns, looks](Call& call) {
          const int64_t end = steady_ns() + runs_ns;
          while (steady_ns() < end) {
            if (looks && call.stopped()) return call.cancelled();
            cpu_relax();
          }
          return call.returns();
        };
        environment_.make_again(
            task, body,
            {.brief = random_() % 2 == 0,
             .timeout_ns = static_cast<int64_t>(random_() % 150'000),
             .budget_ns = random_() % 3 ? Timer::kNever : static_cast<int64_t>(random_() % 150'000)});
      },
      [](const Task& task, const std::vector<Environment::News>& news) {
        ASSERT_LE(news.size(), 1u);
        ASSERT_TRUE(task.status != OFFLOOP_CANCELLED || !news.empty()) << "stopped for no reason that was told";
        if (news.empty()) return;
        ASSERT_EQ(news[0].what, Extras::kCut);
        ASSERT_TRUE(news[0].cut == OFFLOOP_TIMEOUT || news[0].cut == OFFLOOP_BUDGET);
        if (task.status != OFFLOOP_CANCELLED) return;  // it had ended, and was cut before it could say so
        const Extras& extras = *task.extras();
        if (news[0].cut == OFFLOOP_BUDGET) {
          ASSERT_GE(extras.cpu_ns, extras.budget_ns);
        } else {
          ASSERT_GE(extras.run_ns, extras.timeout_ns);
        }
      });
  EXPECT_EQ(outcome.home, kTasks);
  EXPECT_GT(outcome.cut, 0);
  EXPECT_LT(outcome.cut, kTasks);
}

TEST_F(LimitsRaceTest, a_sleep_ends_once_by_its_time_its_limit_or_its_cancellation) {
  constexpr int kTasks = 6'000;
  open(2);
  std::set<int> ways;
  std::vector<Task*> slots;
  const auto make_again = [&](Task& task, int number) {
    if (number < kSlots) slots.push_back(&task);
    const int64_t sleeps_ns = random_() % 8 ? random_() % 200'000 : kDistant;
    environment_.make_again(task, [sleeps_ns](Call& call) { return call.settles_at(steady_ns() + sleeps_ns); },
                            {.timeout_ns = static_cast<int64_t>(random_() % 200'000)});
    for (int i = 0; i < 2; ++i) {
      Task* other = slots[random_() % slots.size()];
      if (other != &task && other->in_flight) pool_->cancel(*other);
    }
  };
  // On a machine that has no time for one of the threads, one way to end may not come first in a whole round.
  for (int round = 0; round < 50 && ways.size() < 3; ++round) {
    slots.clear();
    const Outcome outcome = race(kTasks, make_again, [](const Task& task, const std::vector<Environment::News>& news) {
      ASSERT_LE(news.size(), 1u);
      ASSERT_TRUE(task.status == OFFLOOP_OK || task.status == OFFLOOP_TIMEOUT || task.status == OFFLOOP_CANCELLED);
    });
    ASSERT_EQ(outcome.home, kTasks);
    for (const auto& [status, count] : outcome.by_status) ways.insert(status);
  }
  EXPECT_EQ(ways.size(), 3u) << "one of the ways to end never came first";
}

TEST_F(LimitsRaceTest, limits_are_reached_in_any_turn_of_a_task_that_yields) {
  constexpr int kTasks = 4'000;
  open(2);
  const Outcome outcome = race(
      kTasks,
      [&](Task& task, int) {
        const int turns = 1 + random_() % 5;
        const TaskBody body = [turns](Call& call) {
          int& left = call.state<int>(turns);
          const int64_t end = steady_ns() + 20'000;
          while (steady_ns() < end) {
            if (call.stopped()) return call.cancelled();
          }
          return --left > 0 ? call.yields() : call.returns();
        };
        environment_.make_again(task, body, {.timeout_ns = static_cast<int64_t>(random_() % 120'000)});
      },
      [](const Task& task, const std::vector<Environment::News>& news) {
        ASSERT_LE(news.size(), 1u);
        ASSERT_EQ(task.status == OFFLOOP_OK || !news.empty(), true);
      });
  EXPECT_EQ(outcome.home, kTasks);
  EXPECT_GT(outcome.cut, 0);
}

}  // namespace
}  // namespace offloop
