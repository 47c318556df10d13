// What tasks that go on tell their environment, and what they leave behind.
#include <gtest/gtest.h>

#include <map>
#include <random>
#include <thread>

#include "support/alarm.hpp"
#include "support/pool_fixture.hpp"

namespace offloop {
namespace {

using testing::kMs;

class NewsTest : public PoolTest {
 protected:
  const std::vector<Environment::News>& news() { return environment_.news(); }
};

TEST_F(NewsTest, say_that_a_task_has_begun_while_it_runs) {
  open(1);
  occupy();
  Task& task = environment_.run(*pool_,
                                [this](Call& call) {
                                  second_gate_.wait();
                                  return call.returns();
                                },
                                {.tells_start = true});
  EXPECT_FALSE(task.extras()->started);
  EXPECT_TRUE(news().empty());
  gate_.open();
  environment_.await_news(1);
  EXPECT_EQ(news()[0].task, &task);
  EXPECT_EQ(news()[0].what, Extras::kStarted);
  EXPECT_TRUE(task.extras()->started);
  EXPECT_TRUE(task.in_flight);
  second_gate_.open();
}

TEST_F(NewsTest, do_not_say_so_of_a_task_for_which_nobody_asked) {
  open(1);
  Task& task = environment_.run(*pool_, nothing, {.watched = true});
  environment_.await_all();
  EXPECT_TRUE(news().empty());
  EXPECT_TRUE(task.extras()->started) << "whoever asks can see it all the same";
}

TEST_F(NewsTest, say_only_once_that_a_task_has_begun_which_takes_several_turns) {
  open(1);
  environment_.run(*pool_, [](Call& call) { return --call.state<int>(5) > 0 ? call.yields() : call.returns(); },
                   {.tells_start = true});
  environment_.await_all();
  EXPECT_EQ(news().size(), 1u);
}

TEST_F(NewsTest, tell_how_far_a_task_has_come_to_those_who_watch_it) {
  open(1);
  const testing::TaskBody body = [](Call& call) {
    call.progress(3, 10);
    return call.returns();
  };
  environment_.run(*pool_, body);
  environment_.run(*pool_, body, {.tells_start = true});
  Task& watched = environment_.run(*pool_, body, {.watched = true});
  environment_.await_all();
  ASSERT_EQ(news().size(), 2u);
  EXPECT_EQ(news()[0].what, Extras::kStarted) << "of the one that is not watched";
  EXPECT_EQ(news()[1].task, &watched);
  EXPECT_EQ(news()[1].what, Extras::kProgress);
  EXPECT_EQ(news()[1].done, 3);
  EXPECT_EQ(news()[1].total, 10);
}

TEST_F(NewsTest, begin_when_somebody_begins_to_watch) {
  open(1);
  Task& task = environment_.run(*pool_,
                                [this](Call& call) {
                                  call.progress(1, 10);
                                  begun_.open();
                                  gate_.wait();
                                  call.progress(2, 10);
                                  return call.returns();
                                },
                                {.timeout_ns = testing::kDistant});
  ASSERT_TRUE(begun_.wait());
  task.extras()->watched = true;
  gate_.open();
  environment_.await_all();
  ASSERT_EQ(news().size(), 1u);
  EXPECT_EQ(news()[0].done, 2);
}

TEST_F(NewsTest, travel_together_when_nobody_has_come_for_them) {
  open(1);
  environment_.run(*pool_,
                   [this](Call& call) {
                     for (int i = 1; i <= 1'000; ++i) call.progress(i, 1'000);
                     EXPECT_TRUE(eventually([&] { return call.stopped(); }));
                     testing::pass(0);  // the reactor has told, too
                     begun_.open();
                     gate_.wait();
                     for (int i = 1; i <= 7; ++i) call.progress(i, 7);
                     second_gate_.open();
                     return call.returns();
                   },
                   {.timeout_ns = 1 * kMs, .tells_start = true, .watched = true});
  ASSERT_TRUE(begun_.wait());
  EXPECT_TRUE(environment_.collect().empty());
  ASSERT_EQ(news().size(), 1u) << "one notice, however much there was to tell";
  EXPECT_EQ(news()[0].what, Extras::kStarted | Extras::kProgress | Extras::kCut);
  EXPECT_EQ(news()[0].cut, OFFLOOP_TIMEOUT);
  EXPECT_EQ(news()[0].done, 1'000);
  gate_.open();
  ASSERT_TRUE(second_gate_.wait());
  environment_.await_all();
  ASSERT_EQ(news().size(), 2u) << "and one more for what came after";
  EXPECT_EQ(news()[1].what, Extras::kProgress);
  EXPECT_EQ(news()[1].done, 7);
}

TEST_F(NewsTest, are_of_each_task_its_own) {
  open(2);
  std::map<Task*, double> expected;
  for (int i = 0; i < 200; ++i) {
    Task& task = environment_.run(*pool_,
                                  [i](Call& call) {
                                    call.progress(i, i);
                                    return call.returns();
                                  },
                                  {.brief = i % 2 == 0, .watched = true});
    expected[&task] = i;
  }
  environment_.await_all();
  ASSERT_EQ(news().size(), 200u);
  for (const Environment::News& each : news()) EXPECT_EQ(each.done, expected[each.task]);
}

TEST_F(NewsTest, are_never_late_however_fast_they_come) {
  constexpr int kTasks = 3'000, kSlots = 32, kSteps = 40;
  open(3);
  int begun = 0, home = 0;
  const auto begin = [&](Task& task) {
    environment_.make_again(task,
                            [](Call& call) {
                              for (int i = 1; i <= kSteps; ++i) {
                                call.progress(i, kSteps);
                                if (i % 10 == 0) cpu_relax();
                              }
                              return call.returns();
                            },
                            {.brief = begun % 2 == 0,
                             .timeout_ns = begun % 3 ? Timer::kNever : 20'000,
                             .tells_start = begun % 5 == 0,
                             .watched = true});
    ++begun;
    EXPECT_EQ(environment_.submit(*pool_, task).count, 1u);
  };
  for (int i = 0; i < kSlots; ++i) begin(environment_.make(nothing));
  std::map<const Task*, double> latest;
  size_t heard = 0;
  while (home < kTasks && !HasFailure()) {
    const std::vector<Task*> arrived = environment_.await(1);  // it checks that none came before its news
    for (; heard < news().size(); ++heard) {
      const Environment::News& each = news()[heard];
      if (!(each.what & Extras::kProgress)) continue;
      ASSERT_GT(each.done, 0);
      ASSERT_GE(each.done, latest[each.task]) << "what comes later has come further";
      latest[each.task] = each.done;
    }
    for (Task* task : arrived) {
      ++home;
      // One that was cut before its body began has come nowhere.
      ASSERT_EQ(latest[task], task->status == OFFLOOP_OK ? kSteps : 0) << "the last piece of news was lost";
      latest[task] = 0;
      if (begun < kTasks) begin(*task);
    }
  }
  EXPECT_EQ(home, kTasks);
}

// --- what a task leaves ---

/// Counts how often it was given back.
struct Leftover {
  std::vector<int>* order;
  int number;
  static void give_back(void* self) noexcept {
    static_cast<Leftover*>(self)->order->push_back(static_cast<Leftover*>(self)->number);
  }
};

TEST(Leftovers, are_given_back_once_when_the_task_is_recycled_the_last_first) {
  std::vector<int> order;
  Leftover leftovers[] = {{&order, 0}, {&order, 1}, {&order, 2}};
  Task task;
  for (Leftover& each : leftovers) task.at_recycle(Leftover::give_back, &each);
  EXPECT_TRUE(order.empty());
  task.recycle();
  EXPECT_EQ(order, (std::vector<int>{2, 1, 0}));
  task.recycle();
  EXPECT_EQ(order.size(), 3u);
}

TEST(Leftovers, are_given_back_by_a_task_that_is_destroyed) {
  std::vector<int> order;
  Leftover leftover{&order, 0};
  {
    Task task;
    task.at_recycle(Leftover::give_back, &leftover);
  }
  EXPECT_EQ(order.size(), 1u);
}

TEST(Leftovers, may_lie_in_the_memory_of_the_task) {
  std::vector<int> order;
  Task task;
  for (int i = 0; i < 20; ++i) {
    auto* leftover = new (task.scratch(sizeof(Leftover))) Leftover{&order, i};
    task.at_recycle(Leftover::give_back, leftover);
  }
  task.recycle();
  EXPECT_EQ(order.size(), 20u);
}

TEST(Extras, are_made_once_and_gone_when_the_task_is_recycled) {
  Task task;
  EXPECT_EQ(task.extras(), nullptr);
  Extras& extras = task.make_extras();
  EXPECT_EQ(&task.make_extras(), &extras);
  EXPECT_EQ(task.extras(), &extras);
  EXPECT_EQ(&extras.notice.task, &task);
  extras.timeout_ns = 5;
  extras.news = Extras::kCut;
  task.controlled = true;
  task.recycle();
  EXPECT_EQ(task.extras(), nullptr);
  EXPECT_FALSE(task.controlled);
  EXPECT_EQ(task.make_extras().timeout_ns, Timer::kNever);
  EXPECT_EQ(task.extras()->news, 0);
}

TEST(State, is_made_from_its_arguments_once_and_destroyed_with_the_task) {
  static int alive = 0;
  struct State {
    explicit State(int value) : value(value) { ++alive; }
    ~State() { --alive; }
    int value;
  };
  Task task;
  Call call(task);
  EXPECT_EQ(call.state<State>(7).value, 7);
  call.state<State>(7).value = 8;
  EXPECT_EQ(call.state<State>(7).value, 8);
  EXPECT_EQ(alive, 1);
  task.recycle();
  EXPECT_EQ(alive, 0);
  EXPECT_EQ(call.state<State>(9).value, 9);
  task.recycle();
  EXPECT_EQ(alive, 0);
}

TEST(State, is_not_kept_when_making_it_throws) {
  static int alive = 0;
  struct Thrower {
    explicit Thrower(bool throws) {
      if (throws) throw 42;
      ++alive;
    }
    ~Thrower() { --alive; }
  };
  Task task;
  Call call(task);
  EXPECT_THROW(call.state<Thrower>(true), int);
  call.state<Thrower>(false);
  EXPECT_EQ(alive, 1);
  task.recycle();
  EXPECT_EQ(alive, 0);
}

TEST(State, can_be_larger_than_the_task) {
  struct Large {
    uint8_t bytes[100'000];
  };
  Task task;
  Call call(task);
  call.state<Large>().bytes[99'999] = 7;
  EXPECT_EQ(call.state<Large>().bytes[99'999], 7);
  task.recycle();
}

}  // namespace
}  // namespace offloop
