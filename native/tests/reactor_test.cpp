#include "core/reactor.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <deque>
#include <random>
#include <thread>
#include <vector>

#include "support/alarm.hpp"
#include "support/faults.hpp"

namespace offloop {
namespace {

using testing::Alarm;
using testing::eventually;
using testing::Gate;
using testing::Held;
using testing::kDistant;
using testing::kMs;

Reactor& reactor() { return Reactor::shared(); }

// First in its program: the reactor starts once for the process.
TEST(Reactor, says_why_it_cannot_run_and_starts_with_the_next_timer) {
  Alarm alarm;
  testing::fail_thread_starts(0);
  EXPECT_EQ(alarm.arm(0), EAGAIN);
  EXPECT_EQ(alarm.arm(0), EAGAIN);
  testing::fail_thread_starts(testing::kNever);
  EXPECT_FALSE(reactor().disarm(alarm)) << "it was armed all the same";
  EXPECT_EQ(alarm.arm(0), 0);
  EXPECT_TRUE(alarm.comes());
  reactor().disarm(alarm);
  EXPECT_EQ(alarm.expired, 1);
}

TEST(Reactor, expires_a_timer_once_at_its_time_and_never_before) {
  for (int64_t ns : {1 * kMs, 3 * kMs + 1, 20 * kMs, int64_t{1}, -1 * kMs}) {
    Alarm alarm;
    int64_t at = 0;
    alarm.work = [&] { at = steady_ns(); };
    const int64_t due = steady_ns() + ns;
    ASSERT_EQ(reactor().arm(alarm, due, Alarm::ring), 0);
    ASSERT_TRUE(alarm.comes());
    EXPECT_FALSE(reactor().disarm(alarm));
    EXPECT_GE(at, due);
    EXPECT_EQ(alarm.expired, 1);
  }
}

TEST(Reactor, expires_ten_thousand_timers_in_the_order_of_their_times) {
  constexpr int kTimers = 10'000;
  std::mt19937 random(2026);
  std::deque<Alarm> alarms(kTimers);
  std::vector<int64_t> order;
  {
    Held reactor_is_held;
    for (Alarm& alarm : alarms) {
      alarm.work = [&] { order.push_back(alarm.due_ns); };
      ASSERT_EQ(alarm.arm(static_cast<int64_t>(random() % 100'000'000) - 50 * kMs), 0);
    }
  }
  for (Alarm& alarm : alarms) ASSERT_TRUE(alarm.comes());
  testing::pass(0);
  EXPECT_EQ(order.size(), size_t{kTimers});
  EXPECT_TRUE(std::is_sorted(order.begin(), order.end()));
}

TEST(Reactor, expires_an_armed_timer_earlier_when_told_and_never_later) {
  Alarm sooner, later;
  {
    Held reactor_is_held;
    sooner.arm(kDistant);
    sooner.arm(-1);
    later.arm(-1);
    later.arm(kDistant);
  }
  EXPECT_TRUE(sooner.comes());
  EXPECT_TRUE(later.comes());
  testing::pass(0);
  EXPECT_EQ(sooner.expired, 1);
  EXPECT_EQ(later.expired, 1);
  EXPECT_FALSE(reactor().disarm(sooner));
  EXPECT_FALSE(reactor().disarm(later));
}

TEST(Reactor, does_what_the_earlier_arming_of_a_timer_said) {
  struct Both : Timer {
    std::atomic<int> one{0}, other{0};
    static void do_one(Timer& timer) noexcept { ++static_cast<Both&>(timer).one; }
    static void do_other(Timer& timer) noexcept { ++static_cast<Both&>(timer).other; }
  } both;
  {
    Held reactor_is_held;
    reactor().arm(both, steady_ns() + kDistant, Both::do_one);
    reactor().arm(both, steady_ns() - 2, Both::do_other);
    reactor().arm(both, steady_ns() + kDistant, Both::do_one);
  }
  EXPECT_TRUE(eventually([&] { return both.other == 1; }));
  testing::pass(0);
  EXPECT_EQ(both.one, 0);
}

TEST(Reactor, wakes_for_a_timer_that_is_due_before_all_others) {
  Alarm late, soon;
  late.arm(kDistant);
  testing::pass(0);  // it sleeps until `late` now
  soon.arm(5 * kMs);
  EXPECT_TRUE(soon.comes());
  reactor().disarm(soon);
  EXPECT_TRUE(reactor().disarm(late));
}

TEST(Reactor, waits_for_very_distant_times) {
  Alarm never, soon;
  ASSERT_EQ(reactor().arm(never, Timer::kNever, Alarm::ring), 0);
  soon.arm(1 * kMs);
  EXPECT_TRUE(soon.comes());
  reactor().disarm(soon);
  EXPECT_TRUE(reactor().disarm(never));
  EXPECT_EQ(never.expired, 0);
}

TEST(Reactor, is_not_rung_for_a_timer_that_is_later_than_its_next_look) {
  Alarm next;
  next.arm(kDistant);
  testing::pass(0);
  std::deque<Alarm> later(100);
  // The reactor may not yet have said when it looks next, after what it has just passed.
  ASSERT_TRUE(eventually([&] {
    const uint64_t before = testing::rings();
    later[0].arm(kDistant + kMs);
    reactor().disarm(later[0]);
    return testing::rings() == before;
  }));
  const uint64_t before = testing::rings();
  for (Alarm& alarm : later) alarm.arm(kDistant + kMs);
  EXPECT_EQ(testing::rings(), before);
  Alarm sooner;
  int64_t due = kDistant;
  // The ring for what it has just passed may not have been answered yet, and then this one is the same.
  EXPECT_TRUE(eventually([&] {
    due -= kMs;
    sooner.arm(due);
    reactor().disarm(sooner);
    return testing::rings() == before + 1;
  }));
  for (Alarm& alarm : later) reactor().disarm(alarm);
  reactor().disarm(next);
}

TEST(Reactor, never_expires_a_timer_that_was_disarmed) {
  Alarm alarm;
  {
    Held reactor_is_held;
    alarm.arm(-1);
    EXPECT_TRUE(reactor().disarm(alarm));
    EXPECT_FALSE(reactor().disarm(alarm));
  }
  testing::pass(0);
  EXPECT_EQ(alarm.expired, 0);
}

TEST(Reactor, leaves_alone_what_was_never_armed) {
  Alarm alarm;
  EXPECT_FALSE(reactor().disarm(alarm));
  EXPECT_FALSE(reactor().disarm_if(alarm, Alarm::ring));
}

/// A timer that is still at work for a while after somebody wants to disarm it.
struct SlowAlarm : Alarm {
  Gate begun;
  Gate go;
  std::atomic<bool> disarmed{false};
  std::atomic<bool> inside{false};

  SlowAlarm() {
    work = [this] {
      inside = true;
      begun.open();
      go.wait();
      for (int i = 0; i < 2'000 && !disarmed; ++i) std::this_thread::yield();
      inside = false;
    };
  }
  /// Whether it is at work after `disarm` has returned.
  bool is_at_work_after_disarm(bool expect_armed) {
    go.open();
    EXPECT_EQ(reactor().disarm(*this), expect_armed);
    disarmed = true;
    return inside;
  }
};

TEST(Reactor, waits_for_a_timer_that_is_expiring_before_it_says_that_it_is_disarmed) {
  SlowAlarm alarm;
  alarm.arm(0);
  ASSERT_TRUE(alarm.begun.wait());
  EXPECT_FALSE(alarm.is_at_work_after_disarm(false));
}

TEST(Reactor, waits_for_a_timer_that_is_expiring_though_it_has_been_armed_again) {
  SlowAlarm alarm;
  alarm.arm(0);
  ASSERT_TRUE(alarm.begun.wait());
  alarm.arm(kDistant);
  EXPECT_FALSE(alarm.is_at_work_after_disarm(true));
  testing::pass(0);
  EXPECT_EQ(alarm.expired, 1);
}

TEST(Reactor, disarms_for_one_purpose_only_and_without_waiting) {
  Alarm alarm;
  alarm.arm(kDistant);
  EXPECT_FALSE(reactor().disarm_if(alarm, [](Timer&) noexcept {}));
  EXPECT_TRUE(reactor().disarm_if(alarm, Alarm::ring));
  EXPECT_FALSE(reactor().disarm_if(alarm, Alarm::ring));

  SlowAlarm slow;
  slow.arm(0);
  ASSERT_TRUE(slow.begun.wait());
  EXPECT_FALSE(reactor().disarm_if(slow, Alarm::ring));  // would never return if it waited
  slow.is_at_work_after_disarm(false);
}

TEST(Reactor, lets_a_timer_arm_itself_again) {
  Alarm alarm;
  alarm.work = [&] {
    if (alarm.expired < 4) alarm.arm(0);
  };
  alarm.arm(0);
  EXPECT_TRUE(eventually([&] { return alarm.expired == 5; }));
  testing::pass(0);
  EXPECT_FALSE(reactor().disarm(alarm));
  EXPECT_EQ(alarm.expired, 5);
}

TEST(Reactor, lets_a_timer_disarm_itself) {
  Alarm alarm;
  alarm.work = [&] {
    alarm.arm(0);
    EXPECT_TRUE(reactor().disarm(alarm));
    EXPECT_FALSE(reactor().disarm(alarm));
  };
  alarm.arm(0);
  ASSERT_TRUE(alarm.comes());
  testing::pass(0);
  EXPECT_FALSE(reactor().disarm(alarm));
  EXPECT_EQ(alarm.expired, 1);
}

TEST(Reactor, stops_a_timer_that_arms_itself_again_and_again) {
  for (int round = 0; round < 300; ++round) {
    Alarm alarm;
    alarm.work = [&] { alarm.arm(0); };
    alarm.arm(0);
    ASSERT_TRUE(alarm.comes());
    EXPECT_TRUE(reactor().disarm(alarm));
    const int expired = alarm.expired;
    if (round % 50 == 0) testing::pass(0);
    ASSERT_EQ(alarm.expired, expired) << "in round " << round;
  }
}

TEST(Reactor, does_not_arm_a_timer_whose_flag_is_set) {
  std::atomic<bool> stop{true};
  Alarm alarm;
  EXPECT_EQ(reactor().arm_unless(alarm, steady_ns() - 1, Alarm::ring, &stop), ECANCELED);
  testing::pass(0);
  EXPECT_EQ(alarm.expired, 0);
  stop = false;
  EXPECT_EQ(reactor().arm_unless(alarm, steady_ns() - 1, Alarm::ring, &stop), 0);
  EXPECT_TRUE(alarm.comes());
  reactor().disarm(alarm);
}

TEST(Reactor, refuses_a_timer_for_which_there_is_no_memory) {
  std::deque<Alarm> alarms;
  int error = 0;
  {
    Held reactor_is_held;
    while (!error && alarms.size() < 100'000) {
      Alarm& alarm = alarms.emplace_back();
      testing::FailingAllocations now;
      error = alarm.arm(-1);
    }
  }
  EXPECT_EQ(error, ENOMEM);
  EXPECT_FALSE(reactor().disarm(alarms.back()));
  for (Alarm& alarm : alarms) reactor().disarm(alarm);
}

TEST(Reactor, expires_or_disarms_each_of_many_timers_of_many_threads) {
  constexpr int kThreads = 3, kRounds = 4'000, kAlarms = 8;
  struct Plain : Timer {
    int expired = 0;  // not atomic: what it did before it was disarmed has happened
    static void count(Timer& timer) noexcept { ++static_cast<Plain&>(timer).expired; }
  };
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([t] {
      std::mt19937 random(t);
      std::deque<Plain> alarms(kAlarms);
      std::array<int, kAlarms> expected{};
      std::array<bool, kAlarms> armed{};
      for (int round = 0; round < kRounds; ++round) {
        const size_t i = random() % kAlarms;
        if (!armed[i]) {
          ASSERT_EQ(reactor().arm(alarms[i], steady_ns() + random() % 300'000, Plain::count), 0);
          armed[i] = true;
        } else if (random() % 4 == 0) {
          std::this_thread::yield();
        } else {
          expected[i] += !reactor().disarm(alarms[i]);
          armed[i] = false;
          ASSERT_EQ(alarms[i].expired, expected[i]) << "in round " << round;
        }
      }
      for (Plain& alarm : alarms) reactor().disarm(alarm);
    });
  }
  for (std::thread& thread : threads) thread.join();
}

}  // namespace
}  // namespace offloop
