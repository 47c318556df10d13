#include "core/waits.hpp"

#include <gtest/gtest.h>

#include <cerrno>
#include <deque>
#include <string_view>
#include <thread>
#include <vector>

#include "support/alarm.hpp"
#include "support/gate.hpp"
#include "support/lookout.hpp"
#include "support/pollers.hpp"

namespace offloop {
namespace {

using testing::eventually;
using testing::kMs;
using testing::Sockets;
using Kind = Waits::Kind;

/// An environment: a mailbox, and what it waits for.
class Home {
 public:
  Home() : mailbox_(Mailbox::open()), signal_(std::make_shared<Signal>(*mailbox_, 1)), waits(signal_) {}
  ~Home() {
    signal_->close();
    mailbox_->abandon(0);
  }
  Home(const Home&) = delete;

  /// Whether the signal has come, since it was last asked.
  bool signalled() {
    Letter* const letter = mailbox_->take();
    if (letter) static_cast<Signal*>(letter)->arrive();
    return letter;
  }
  uint32_t begin(std::optional<Descriptor> fd, Interest interest, Kind kind, int64_t due_ns = Timer::kNever) {
    uint32_t number = UINT32_MAX;
    EXPECT_EQ(waits.begin(fd, interest, kind, due_ns, number), 0);
    return number;
  }
  uint32_t begin(Descriptor fd, Kind kind = Kind::once) { return begin(fd, Interest::readable, kind); }
  /// All that has come once the signal has.
  std::vector<Waits::Event> hear() {
    EXPECT_TRUE(eventually([this] { return signalled(); }));
    return take();
  }
  std::vector<Waits::Event> take(size_t most = 100) {
    std::vector<Waits::Event> events(most);
    events.resize(waits.take(events));
    return events;
  }

 private:
  Mailbox* const mailbox_;
  std::shared_ptr<Signal> signal_;

 public:
  Waits waits;
};

TEST(Waits, signal_that_something_has_come_and_tell_what) {
  Home home;
  Sockets sockets;
  const uint32_t number = home.begin(sockets[0]);
  testing::settle();
  EXPECT_FALSE(home.signalled());
  sockets.send(1);
  const auto events = home.hear();
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(events[0].number, number);
  EXPECT_EQ(events[0].what, Waits::kReadable);
  EXPECT_TRUE(home.take().empty());
}

TEST(Waits, are_over_once_they_are_taken_and_their_numbers_are_used_again) {
  Home home;
  Sockets sockets;
  sockets.send(1);
  const uint32_t number = home.begin(sockets[0]);
  home.hear();
  testing::settle();
  EXPECT_FALSE(home.signalled()) << "it is readable still, but nobody waits";
  EXPECT_EQ(home.begin(sockets[0]), number);
  EXPECT_EQ(home.hear().size(), 1u);
}

TEST(Waits, are_told_again_when_they_ask) {
  Home home;
  Sockets sockets;
  const uint32_t number = home.begin(sockets[0], Kind::again);
  sockets.send(1);
  home.hear();
  testing::settle();
  EXPECT_FALSE(home.signalled());
  ASSERT_EQ(home.waits.again(number, Interest::both), 0);
  const auto events = home.hear();
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(events[0].what, Waits::kReadable | Waits::kWritable);
  home.waits.end(number);
}

TEST(Waits, collect_in_one_event_what_nobody_has_taken) {
  Home home;
  Sockets sockets;
  uint32_t number = 0;
  const int error = home.waits.begin(sockets[0], Interest::both, Kind::edge, Timer::kNever, number);
  const std::string_view poller = Poller::kName;
  if (poller == "poll" || poller == "iocp") {
    EXPECT_EQ(error, ENOTSUP) << "it knows no edges";
    return;
  }
  ASSERT_EQ(error, 0);
  EXPECT_TRUE(eventually([&] { return home.signalled(); }));
  for (int i = 0; i < 10; ++i) {
    sockets.send(1);
    testing::settle();
  }
  sockets.close_end(1);
  testing::settle();
  EXPECT_FALSE(home.signalled()) << "it has been told that there is something";
  const auto events = home.take();
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(events[0].what, Waits::kReadable | Waits::kWritable | Waits::kHungUp);
  home.waits.end(number);
}

TEST(Waits, end_with_their_time) {
  Home home;
  Sockets sockets;
  const int64_t due = steady_ns() + 2 * kMs;
  const uint32_t number = home.begin(sockets[0], Interest::readable, Kind::once, due);
  const auto events = home.hear();
  EXPECT_GE(steady_ns(), due);
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(events[0].number, number);
  EXPECT_EQ(events[0].what, Waits::kTimeIsUp);
  sockets.send(1);
  testing::settle();
  EXPECT_FALSE(home.signalled()) << "nobody waits for the descriptor any more";
}

TEST(Waits, are_all_told_of_however_many_times_there_are) {
  constexpr int kTimers = 1'000;
  Home home;
  for (int round = 0; round < 20; ++round) {
    for (int64_t i = 0; i < kTimers; ++i) {
      home.begin(std::nullopt, Interest::readable, Kind::once, steady_ns() + (i * 7'919 % kTimers) * (kMs / 200));
    }
    size_t told = 0;
    ASSERT_TRUE(eventually([&] {
      if (home.signalled()) told += home.take(50).size();
      return told == kTimers;
    })) << told
        << " of round " << round;
  }
}

TEST(Waits, may_be_for_a_time_alone) {
  Home home;
  const uint32_t number = home.begin(std::nullopt, Interest::readable, Kind::once, steady_ns() + kMs / 4);
  const auto events = home.hear();
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(events[0].number, number);
}

TEST(Waits, are_taken_in_batches_in_the_order_in_which_they_came) {
  Home home;
  std::deque<Sockets> sockets(10);
  std::vector<uint32_t> numbers;
  for (Sockets& pair : sockets) {
    numbers.push_back(home.begin(pair[0]));
    pair.send(1);
    testing::settle();
  }
  std::vector<uint32_t> heard;
  while (home.signalled()) {
    for (const Waits::Event& event : home.take(4)) heard.push_back(event.number);
  }
  EXPECT_EQ(heard, numbers);
}

TEST(Waits, tell_nothing_after_they_have_been_ended) {
  Home home;
  Sockets sockets;
  sockets.send(1);
  for (int round = 0; round < 200; ++round) {
    const uint32_t number = home.begin(sockets[0]);
    const bool has_come = round % 3 != 0 || eventually([&] { return home.signalled(); });
    EXPECT_TRUE(has_come) << "and is not taken";
    home.waits.end(number);
    EXPECT_TRUE(home.take().empty()) << "in round " << round;
  }
}

TEST(Waits, say_why_they_cannot_begin) {
  Home home;
  uint32_t number = 0;
  EXPECT_EQ(home.waits.begin(-1, Interest::readable, Kind::once, Timer::kNever, number), EBADF);
  const uint32_t first = number;
  Sockets sockets;
  EXPECT_EQ(home.begin(sockets[0]), first) << "its number is free";
  home.waits.end(first);
}

TEST(Waits, that_end_with_their_environment_leave_those_of_others_alone) {
  Sockets sockets;
  Home stays;
  const uint32_t number = stays.begin(sockets[0]);
  {
    Home goes;
    goes.begin(sockets[0]);
    goes.begin(sockets[0], Kind::again);
    goes.begin(sockets[1], Interest::both, Kind::once, steady_ns() + testing::kDistant);
  }
  sockets.send(1);
  const auto events = stays.hear();
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(events[0].number, number);
}

TEST(Waits, end_while_everything_comes) {
  std::deque<Sockets> sockets(16);
  for (Sockets& pair : sockets) pair.send(1);
  for (int round = 0; round < 200; ++round) {
    Home home;
    for (size_t i = 0; i < sockets.size(); ++i) {
      home.begin(sockets[i][0], Interest::both, Kind::once, i % 2 ? steady_ns() : Timer::kNever);
    }
    if (round % 2) home.take(8);
  }
}

}  // namespace
}  // namespace offloop
