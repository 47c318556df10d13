// The reactor's other half: descriptors, told on its own thread.
#include <gtest/gtest.h>

#include <cerrno>
#include <deque>
#include <thread>
#include <vector>

#include "core/reactor.hpp"
#include "support/alarm.hpp"
#include "support/lookout.hpp"
#include "support/pollers.hpp"

namespace offloop {
namespace {

using testing::Alarm;
using testing::Held;
using testing::kDistant;
using testing::kMs;
using testing::Lookout;
using testing::Sockets;

Reactor& reactor() { return Reactor::shared(); }
int watch(Lookout& one, Descriptor fd, Interest interest = Interest::readable, Trigger trigger = Trigger::once) {
  return reactor().watch(one, fd, interest, trigger, Lookout::hear);
}

TEST(ReactorWatch, tells_on_its_own_thread_and_only_when_it_is_asked_again) {
  Sockets sockets;
  Lookout one;
  std::thread::id teller;
  one.work = [&] { teller = std::this_thread::get_id(); };
  ASSERT_EQ(watch(one, sockets[0]), 0);
  sockets.send(1);
  ASSERT_TRUE(one.hears());
  testing::settle();
  EXPECT_EQ(one.heard, 1);
  EXPECT_NE(teller, std::this_thread::get_id());
  ASSERT_EQ(reactor().rewatch(one, Interest::readable), 0);
  EXPECT_TRUE(one.hears(2)) << "it is readable still";
  reactor().unwatch(one);
}

TEST(ReactorWatch, refuses_what_cannot_be_watched) {
  Lookout one;
  EXPECT_EQ(watch(one, -1), EBADF);
  EXPECT_EQ(one.serial, 0u);
}

TEST(ReactorWatch, takes_what_is_ready_and_what_is_due_out_of_one_wait) {
  std::deque<Sockets> sockets(40);
  std::deque<Lookout> lookouts(40);
  std::deque<Alarm> alarms(40);
  uint64_t before = 0;
  {
    Held reactor_is_held;
    before = reactor().wake_ups();
    for (size_t i = 0; i < sockets.size(); ++i) {
      ASSERT_EQ(watch(lookouts[i], sockets[i][0]), 0);
      sockets[i].send(1);
      alarms[i].arm(-1);
    }
  }
  for (Lookout& lookout : lookouts) ASSERT_TRUE(lookout.hears());
  for (Alarm& alarm : alarms) ASSERT_TRUE(alarm.comes());
  EXPECT_LE(reactor().wake_ups() - before, 10u) << "for 80 events";
  for (Lookout& lookout : lookouts) reactor().unwatch(lookout);
  for (Alarm& alarm : alarms) reactor().disarm(alarm);
}

#if !defined(_WIN32)  // whose sleeps are too long for that
TEST(ReactorWatch, rests_between_waits_while_those_it_tells_are_busy) {
  Sockets sockets;
  Lookout one;
  one.is_busy = true;
  one.work = [&] { reactor().rewatch(one, Interest::readable); };  // which it is at once: nobody reads
  sockets.send(1);
  const int64_t began = steady_ns();
  ASSERT_EQ(watch(one, sockets[0]), 0);
  EXPECT_TRUE(one.hears(50));
  reactor().unwatch(one);
  EXPECT_LE(one.heard, (steady_ns() - began) / (kMs / 10) + 2) << "a tenth of a millisecond each, at least";
}
#endif

TEST(ReactorWatch, is_not_woken_by_ten_thousand_descriptors_that_are_silent) {
  constexpr size_t kPairs = 5'000;
  testing::allow_descriptors(2 * kPairs + 200);
  std::deque<Sockets> sockets(kPairs);
  std::deque<Lookout> lookouts(2 * kPairs);
  for (size_t i = 0; i < lookouts.size(); ++i) ASSERT_EQ(watch(lookouts[i], sockets[i / 2][i % 2]), 0);
  Alarm end;
  testing::pass(0);
  const uint64_t before = reactor().wake_ups();
  end.arm(50 * kMs);
  ASSERT_TRUE(end.comes());
  EXPECT_LE(reactor().wake_ups() - before, 4u) << "for the alarm, and for what came before it";
  reactor().disarm(end);
  sockets[kPairs / 2].send(0);
  EXPECT_TRUE(lookouts[kPairs / 2 * 2 + 1].hears()) << "it watches, though";
  for (Lookout& lookout : lookouts) reactor().unwatch(lookout);
}

TEST(ReactorWatch, tells_nothing_of_what_is_unwatched_while_its_event_is_in_flight) {
  Sockets sockets;
  for (int round = 0; round < 200; ++round) {
    Lookout one;
    ASSERT_EQ(watch(one, sockets[0], Interest::writable), 0);  // ready at once
    if (round % 3 == 0) std::this_thread::yield();
    reactor().unwatch(one);
    const int heard = one.heard;
    if (round % 50 == 0) testing::pass(0);
    ASSERT_EQ(one.heard, heard) << "in round " << round;
  }
}

TEST(ReactorWatch, lets_those_it_calls_watch_arm_and_go) {
  Sockets sockets;
  Lookout one, next;
  Alarm alarm;
  alarm.work = [&] { EXPECT_EQ(watch(one, sockets[0]), 0); };
  one.work = [&] {
    reactor().unwatch(one);
    EXPECT_EQ(watch(next, sockets[0]), 0);
  };
  next.work = [&] {
    const int error = reactor().rewatch(next, next.heard < 2 ? Interest::readable : Interest::writable);
    EXPECT_EQ(next.heard < 5 ? error : 0, 0);  // later it may just be unwatched
  };
  sockets.send(1);
  alarm.arm(0);
  EXPECT_TRUE(next.hears(5));
  reactor().unwatch(next);
  EXPECT_EQ(one.heard, 1);
  reactor().disarm(alarm);
}

}  // namespace
}  // namespace offloop
