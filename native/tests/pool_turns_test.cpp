#include <gtest/gtest.h>

#include <optional>
#include <random>
#include <string>
#include <thread>

#include "core/turn.hpp"
#include "support/alarm.hpp"
#include "support/pool_fixture.hpp"

namespace offloop {
namespace {

using testing::kMs;

/// What a body keeps between its turns; counts how many there are.
struct Kept {
  static inline std::atomic<int> alive{0};
  static inline std::atomic<int> made{0};
  explicit Kept(int left) : left(left) {
    ++alive;
    ++made;
  }
  Kept(const Kept&) = delete;
  ~Kept() { --alive; }
  int left;
};

class PoolTurnsTest : public PoolTest {
 protected:
  void SetUp() override { Kept::alive = Kept::made = 0; }
  /// Runs in so many turns.
  static testing::TaskBody in_turns(int turns) {
    return [turns](Call& call) {
      Kept& kept = call.state<Kept>(turns);
      return --kept.left > 0 ? call.yields() : call.returns();
    };
  }
  /// Lets the task that waits at the second gate yield to another, which waits at the first.
  void block_before_the_next_turn() {
    environment_.run(*pool_, [this](Call& call) {
      others_turn_.open();
      gate_.wait();
      return call.returns();
    });
    second_gate_.open();
    ASSERT_TRUE(others_turn_.wait());
  }
  /// As the loop does with a task that is home.
  static void done_with(const std::vector<Task*>& home) {
    for (Task* task : home) task->recycle();
  }

  Gate others_turn_;
};

TEST_F(PoolTurnsTest, keeps_the_state_of_a_task_from_its_first_turn_to_its_end) {
  open(1);
  Task& task = environment_.run(*pool_, in_turns(5));
  EXPECT_EQ(environment_.await_one(), &task);
  EXPECT_EQ(task.status, OFFLOOP_OK);
  EXPECT_EQ(Kept::made, 1);
  EXPECT_EQ(Kept::alive, 1) << "its result may point into it";
  task.recycle();
  EXPECT_EQ(Kept::alive, 0);
}

TEST_F(PoolTurnsTest, lets_those_go_first_that_wait) {
  open(1);
  occupy();
  std::string order;
  const auto writes = [&order](char letter, int turns) {
    return [&order, letter, turns](Call& call) {
      order += letter;
      return --call.state<Kept>(turns).left > 0 ? call.yields() : call.returns();
    };
  };
  environment_.run(*pool_, writes('a', 3));
  environment_.run(*pool_, writes('b', 2));
  environment_.run(*pool_, writes('c', 1), {.brief = true});
  gate_.open();
  done_with(environment_.await_all());
  EXPECT_EQ(order, "abcaba");
}

TEST_F(PoolTurnsTest, keeps_a_task_in_the_lane_of_its_priority) {
  open(1);
  occupy();
  std::string order;
  const auto writes = [&order](char letter, int turns) {
    return [&order, letter, turns](Call& call) {
      order += letter;
      return --call.state<Kept>(turns).left > 0 ? call.yields() : call.returns();
    };
  };
  environment_.run(*pool_, writes('l', 2), {.priority = 255});
  environment_.run(*pool_, writes('h', 3), {.priority = 0});
  environment_.run(*pool_, writes('n', 2));
  gate_.open();
  done_with(environment_.await_all());
  EXPECT_EQ(order, "hhhnnll");
}

TEST_F(PoolTurnsTest, goes_on_wherever_a_thread_is_free) {
  open(2);
  std::thread::id first, second;
  // Both threads wait at the gate but for the one that takes the next turn.
  environment_.run(*pool_, [&](Call& call) {
    if (Kept& kept = call.state<Kept>(2); --kept.left > 0) {
      first = std::this_thread::get_id();
      begun_.open();
      second_gate_.wait();
      return call.yields();
    }
    second = std::this_thread::get_id();
    return call.returns();
  });
  ASSERT_TRUE(begun_.wait());
  Gate other_begun, other_go;
  environment_.run(*pool_, [&](Call& call) {
    other_begun.open();
    other_go.wait();
    return call.returns();
  });
  ASSERT_TRUE(other_begun.wait());
  environment_.run(*pool_, [&](Call& call) {  // it waits before the next turn, and takes the first thread
    other_go.open();
    gate_.wait();
    return call.returns();
  });
  second_gate_.open();
  done_with(environment_.await(2));
  EXPECT_NE(second, std::thread::id());
  EXPECT_NE(first, second);
  gate_.open();
  done_with(environment_.await_all());
}

TEST_F(PoolTurnsTest, can_be_cancelled_in_the_middle_of_its_turns) {
  open(1);
  std::atomic<int> turns{0};
  Task& task = environment_.run(*pool_, [&](Call& call) {
    ++turns;
    return call.yields();
  });
  EXPECT_TRUE(eventually([&] { return turns > 100; }));
  EXPECT_TRUE(environment_.collect().empty());
  pool_->cancel(task);
  EXPECT_EQ(environment_.await_one(), &task);
  EXPECT_EQ(task.status, OFFLOOP_CANCELLED);
}

TEST_F(PoolTurnsTest, destroys_the_state_once_when_the_task_is_cancelled_between_its_turns) {
  open(1);
  Task& task = environment_.run(*pool_, [this](Call& call) {
    call.state<Kept>(1);
    begun_.open();
    second_gate_.wait();
    return call.yields();
  });
  ASSERT_TRUE(begun_.wait());
  block_before_the_next_turn();
  pool_->cancel(task);
  EXPECT_EQ(environment_.await_one(), &task);
  EXPECT_EQ(task.status, OFFLOOP_CANCELLED);
  EXPECT_EQ(Kept::alive, 1);
  task.recycle();
  EXPECT_EQ(Kept::alive, 0);
}

TEST_F(PoolTurnsTest, sends_a_task_home_that_was_stopped_in_its_turn_though_it_yields) {
  open(1);
  Task& task = environment_.run(*pool_, [this](Call& call) {
    begun_.open();
    EXPECT_TRUE(eventually([&] { return call.stopped(); }));
    return call.yields();
  });
  ASSERT_TRUE(begun_.wait());
  environment_.run(*pool_, [this](Call& call) {  // comes before the next turn
    gate_.wait();
    return call.returns();
  });
  pool_->cancel(task);
  EXPECT_EQ(environment_.await_one(), &task);
  EXPECT_EQ(task.status, OFFLOOP_CANCELLED);
}

TEST_F(PoolTurnsTest, finishes_all_turns_before_a_closed_pool_says_farewell) {
  open(2);
  occupy();
  occupy();
  for (int i = 0; i < 50; ++i) environment_.run(*pool_, in_turns(1 + i % 7));
  Task& farewell = *environment_.make_noops(1).front();
  environment_.expect(farewell);
  pool_->close(&farewell);
  gate_.open();
  const std::vector<Task*> home = environment_.await_all();
  ASSERT_EQ(home.size(), 53u);
  EXPECT_EQ(home.back(), &farewell);
  for (Task* task : home) EXPECT_EQ(task->status, OFFLOOP_OK);
  EXPECT_EQ(Kept::made, 50);
  done_with(home);
  EXPECT_EQ(Kept::alive, 0);
  pool_.reset();
}

TEST_F(PoolTurnsTest, sends_what_is_between_its_turns_home_with_all_that_waits) {
  open(1);
  environment_.run(*pool_, [this](Call& call) {
    call.state<Kept>(1);
    begun_.open();
    second_gate_.wait();
    return call.yields();
  });
  ASSERT_TRUE(begun_.wait());
  block_before_the_next_turn();
  pool_->cancel_waiting();
  Task* home = environment_.await_one();
  ASSERT_NE(home, nullptr);
  EXPECT_EQ(home->status, OFFLOOP_CANCELLED);
  home->recycle();
  EXPECT_EQ(Kept::alive, 0);
}

TEST_F(PoolTurnsTest, is_not_bound_by_its_deadline_once_it_has_begun) {
  open(1);
  Task* self = nullptr;
  Task& task = environment_.make(
      [&self](Call& call) {
        if (--call.state<Kept>(2).left == 0) return call.returns();
        self->due_ns = steady_ns() - 1;  // as if it had passed meanwhile; nobody else looks at it now
        return call.yields();
      },
      {.deadline_ns = testing::kDistant});
  self = &task;
  ASSERT_EQ(environment_.submit(*pool_, task).count, 1u);
  EXPECT_EQ(environment_.await_one(), &task);
  EXPECT_EQ(task.status, OFFLOOP_OK);
  task.recycle();
}

TEST_F(PoolTurnsTest, ends_a_task_for_whose_next_turn_there_is_no_memory) {
  open(1);
  std::optional<testing::FailingAllocations> failing;  // on the pool's one thread
  Task& task = environment_.run(*pool_, [&](Call& call) {
    call.state<Kept>(1);
    begun_.open();
    second_gate_.wait();
    failing.emplace();
    return call.yields();
  });
  ASSERT_TRUE(begun_.wait());
  for (int i = 0; i < 63; ++i) environment_.run(*pool_, nothing);
  Task& last = environment_.run(*pool_, [&](Call& call) {
    failing.reset();
    return call.returns();
  });
  second_gate_.open();  // the ring of its lane is full
  environment_.await_all();
  EXPECT_EQ(task.status, OFFLOOP_NO_MEMORY);
  EXPECT_EQ(last.status, OFFLOOP_OK);
  task.recycle();
  EXPECT_EQ(Kept::alive, 0);
}

// --- how long a turn is ---

TEST(Turn, is_over_when_its_time_is_and_somebody_waits) {
  std::atomic<size_t> waiting{1};
  Turn::begin(steady_ns() - Turn::kNs, waiting);
  EXPECT_TRUE(Turn::is_over());
  waiting = 0;
  EXPECT_FALSE(Turn::is_over());
  waiting = 2;
  Turn::begin(steady_ns() + testing::kDistant, waiting);
  EXPECT_FALSE(Turn::is_over());
  std::thread([] { EXPECT_FALSE(Turn::is_over()) << "of a thread that has none"; }).join();
}

TEST_F(PoolTurnsTest, is_over_after_its_share_and_not_before_in_every_turn) {
  open(1);
  std::vector<int64_t> over{steady_ns()};
  environment_.run(*pool_, [&](Call& call) {
    begun_.open();
    EXPECT_TRUE(eventually([&] { return call.turn_is_over(); }));
    over.push_back(steady_ns());
    return over.size() < 4 ? call.yields() : call.returns();
  });
  ASSERT_TRUE(begun_.wait());
  for (int i = 0; i < 3; ++i) {
    environment_.run(*pool_, nothing);
    environment_.await(1);
  }
  environment_.await_all();
  ASSERT_EQ(over.size(), 4u);
  for (size_t i = 1; i < over.size(); ++i) EXPECT_GE(over[i] - over[i - 1], Turn::kNs);
}

TEST_F(PoolTurnsTest, is_never_over_while_nobody_waits) {
  open(1);
  environment_.run(*pool_, [&](Call& call) {
    testing::pass(30 * kMs);
    EXPECT_FALSE(call.turn_is_over());
    begun_.open();
    EXPECT_TRUE(eventually([&] { return call.turn_is_over(); })) << "somebody waits now";
    return call.returns();
  });
  ASSERT_TRUE(begun_.wait());
  environment_.run(*pool_, nothing);
  environment_.await_all();
}

TEST_F(PoolTurnsTest, loses_no_turn_and_no_state_under_load) {
  static constexpr int kThreads = 3, kTasks = 3'000;
  auto options = pool_options();
  options.threads = 3;
  options.linger_ns = 10'000;
  open(options);
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([this, t] {
      std::mt19937 random(t);
      Environment environment;
      size_t home = 0;
      const auto done = [&](const std::vector<Task*>& arrived) {
        home += arrived.size();
        for (Task* task : arrived) {
          ASSERT_TRUE(task->status == OFFLOOP_OK || task->status == OFFLOOP_CANCELLED);
          task->recycle();
        }
      };
      std::vector<Task*> tasks;
      for (int i = 0; i < kTasks; ++i) {
        tasks.push_back(&environment.run(*pool_, in_turns(1 + random() % 6),
                                         {.brief = random() % 3 == 0,
                                          .priority = static_cast<uint8_t>(random()),
                                          .tells_start = random() % 4 == 0}));
        Task* other = tasks[random() % tasks.size()];
        if (other->in_flight && random() % 8 == 0) pool_->cancel(*other);
        if (random() % 32 == 0) done(environment.collect());
      }
      done(environment.await_all());
      EXPECT_EQ(home, size_t{kTasks});
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(Kept::alive, 0);
}

}  // namespace
}  // namespace offloop
