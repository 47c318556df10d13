// What is told to those who share a descriptor, without a reactor: this thread waits, and tells.
#include "core/watchers.hpp"

#include <gtest/gtest.h>

#include <deque>
#include <functional>
#include <random>
#include <thread>

#include "support/lookout.hpp"
#include "support/pollers.hpp"

namespace offloop {
namespace {

using namespace std::chrono_literals;
using testing::Lookout;
using testing::Sockets;

class WatchersTest : public ::testing::Test {
 protected:
  WatchersTest() {
    int error = 0;
    poller_ = Poller::open(error);
    EXPECT_TRUE(poller_) << error;
    watchers_ = std::make_unique<Watchers>(*poller_);
  }
  int add(Lookout& one, Descriptor fd, Interest interest = Interest::readable, Trigger trigger = Trigger::once) {
    return watchers_->add(one, fd, interest, trigger, Lookout::hear);
  }
  int arm(Lookout& one, Interest interest = Interest::readable) { return watchers_->arm(one, interest); }
  void remove(Lookout& one) { watchers_->remove(one); }
  /// One wait, and what comes of it. Returns how much that was.
  size_t turn(std::chrono::nanoseconds timeout = 0ns) {
    std::array<Ready, 64> ready;
    const size_t count = poller_->wait(ready, timeout);
    are_awaited_ = watchers_->tell({ready.data(), count});
    return count;
  }
  static bool knows_edges() { return std::string_view(Poller::kName) != "poll"; }

  std::unique_ptr<Poller> poller_;
  std::unique_ptr<Watchers> watchers_;
  bool are_awaited_ = true;  // what the last turn told
  Sockets sockets_;
};

TEST_F(WatchersTest, tells_once_and_is_then_silent_until_it_is_armed_again) {
  Lookout one;
  ASSERT_EQ(add(one, sockets_[0]), 0);
  turn();
  EXPECT_EQ(one.heard, 0);
  sockets_.send(1);
  turn(testing::kPatience);
  EXPECT_EQ(one.heard, 1);
  EXPECT_TRUE(one.last.readable);
  EXPECT_FALSE(one.last.writable);
  EXPECT_FALSE(one.last.hung_up);
  EXPECT_EQ(turn(), 0u) << "what nobody reads keeps nobody busy";
  ASSERT_EQ(arm(one), 0);
  turn(testing::kPatience);
  EXPECT_EQ(one.heard, 2) << "it is readable still";
  remove(one);
}

TEST_F(WatchersTest, tells_all_who_wait_for_the_same_descriptor) {
  std::deque<Lookout> readers(100);
  for (Lookout& reader : readers) ASSERT_EQ(add(reader, sockets_[0]), 0);
  sockets_.send(1);
  turn(testing::kPatience);
  for (Lookout& reader : readers) EXPECT_EQ(reader.heard, 1);
  EXPECT_EQ(turn(), 0u);
  for (Lookout& reader : readers) remove(reader);
}

TEST_F(WatchersTest, tells_each_only_what_it_asked_for) {
  Lookout reader, writer;
  ASSERT_EQ(add(reader, sockets_[0], Interest::readable), 0);
  ASSERT_EQ(add(writer, sockets_[0], Interest::writable), 0);
  turn(testing::kPatience);
  EXPECT_EQ(writer.heard, 1);
  EXPECT_TRUE(writer.last.writable);
  EXPECT_FALSE(writer.last.readable);
  EXPECT_EQ(reader.heard, 0);
  EXPECT_EQ(turn(), 0u) << "nobody waits for room any more";
  sockets_.send(1);
  turn(testing::kPatience);
  EXPECT_EQ(reader.heard, 1) << "it still waited";
  EXPECT_FALSE(reader.last.writable);
  EXPECT_EQ(writer.heard, 1);
  remove(reader);
  remove(writer);
}

TEST_F(WatchersTest, goes_on_for_those_who_are_left) {
  Lookout first, second;
  add(first, sockets_[0]);
  add(second, sockets_[0]);
  remove(first);
  sockets_.send(1);
  turn(testing::kPatience);
  EXPECT_EQ(first.heard, 0);
  EXPECT_EQ(second.heard, 1);
  remove(second);
  EXPECT_EQ(add(first, sockets_[0]), 0);
  turn(testing::kPatience);
  EXPECT_EQ(first.heard, 1);
  remove(first);
}

TEST_F(WatchersTest, tells_of_an_end_that_is_gone) {
  Lookout reader;
  add(reader, sockets_[0]);
  sockets_.close_end(1);
  turn(testing::kPatience);
  EXPECT_EQ(reader.heard, 1);
  EXPECT_TRUE(reader.last.readable);
  EXPECT_TRUE(reader.last.hung_up);
  EXPECT_EQ(turn(), 0u);
  remove(reader);
}

TEST_F(WatchersTest, tells_by_edges_each_time_it_becomes_ready) {
  Lookout one;
  const int added = add(one, sockets_[0], Interest::readable, Trigger::edge);
  if (!knows_edges()) {
    EXPECT_EQ(added, ENOTSUP);
    return;
  }
  ASSERT_EQ(added, 0);
  for (int heard = 1; heard <= 3; ++heard) {
    sockets_.send(1);
    turn(testing::kPatience);
    EXPECT_EQ(one.heard, heard);
    EXPECT_EQ(turn(), 0u) << "nobody reads, and it is silent";
  }
  remove(one);
}

TEST_F(WatchersTest, has_those_who_ask_for_edges_and_those_who_do_not_share_a_descriptor) {
  Lookout once, edge;
  ASSERT_EQ(add(once, sockets_[0]), 0);
  if (!knows_edges()) {
    EXPECT_EQ(add(edge, sockets_[0], Interest::readable, Trigger::edge), ENOTSUP);
    return remove(once);
  }
  ASSERT_EQ(add(edge, sockets_[0], Interest::readable, Trigger::edge), 0);
  sockets_.send(1);
  turn(testing::kPatience);
  EXPECT_EQ(once.heard, 1);
  EXPECT_EQ(edge.heard, 1);
  EXPECT_EQ(turn(), 0u);
  ASSERT_EQ(arm(once), 0);
  turn(testing::kPatience);
  EXPECT_EQ(once.heard, 2) << "it is readable still";
  sockets_.receive(0);
  ASSERT_EQ(arm(once), 0);
  turn();
  EXPECT_EQ(once.heard, 2);
  const int before = edge.heard;
  sockets_.send(1);
  turn(testing::kPatience);
  EXPECT_EQ(once.heard, 3);
  EXPECT_GT(edge.heard, before);
  remove(edge);
  remove(once);
}

TEST_F(WatchersTest, says_what_cannot_be_watched) {
  Lookout one;
  EXPECT_EQ(add(one, 9999), EBADF);
  EXPECT_EQ(add(one, -1), EBADF);
  remove(one);
#if defined(__linux__)  // kqueue watches files, too
  const Descriptor file = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
  ASSERT_GE(file, 0);
  EXPECT_EQ(add(one, file), EPERM);
  close(file);
#endif
  EXPECT_EQ(add(one, sockets_[0]), 0);
  remove(one);
}

TEST_F(WatchersTest, leaves_alone_what_was_never_added) {
  Lookout one;
  remove(one);
  EXPECT_EQ(one.heard, 0);
}

TEST_F(WatchersTest, does_not_tell_one_that_is_removed_between_the_wait_and_the_telling) {
  Lookout one;
  add(one, sockets_[0]);
  sockets_.send(1);
  std::array<Ready, 64> ready;
  const size_t count = poller_->wait(ready, testing::kPatience);
  ASSERT_EQ(count, 1u);
  remove(one);
  watchers_->tell({ready.data(), count});
  EXPECT_EQ(one.heard, 0);
}

TEST_F(WatchersTest, tells_the_next_owner_of_a_number_nothing_of_the_last) {
  Lookout last, next;
  const Descriptor number = sockets_[0];
  add(last, number);
  sockets_.send(1);
  std::array<Ready, 64> ready;
  const size_t count = poller_->wait(ready, testing::kPatience);
  ASSERT_EQ(count, 1u);
  remove(last);
  sockets_.close_end(0);
  Sockets others;
  ASSERT_EQ(dup2(others[0], number), number);
  ASSERT_EQ(add(next, number), 0);
  watchers_->tell({ready.data(), count});
  EXPECT_EQ(next.heard, 0) << "that was about the one before it";
  others.send(1);
  turn(testing::kPatience);
  EXPECT_EQ(next.heard, 1);
  remove(next);
  close(number);
}

TEST_F(WatchersTest, survives_a_descriptor_that_is_closed_under_its_watchers) {
  Lookout forgotten, next;
  const Descriptor number = sockets_[0];
  add(forgotten, number);
  sockets_.close_end(0);
  turn();
  EXPECT_EQ(arm(forgotten), EBADF);
  Sockets others;
  ASSERT_EQ(dup2(others[0], number), number);
  others.send(1);
  ASSERT_EQ(add(next, number), 0);
  turn(testing::kPatience);
  EXPECT_EQ(next.heard, 1);
  if (knows_edges()) {  // poll knows numbers only
    EXPECT_EQ(forgotten.heard, 0) << "it never waited for this one";
    EXPECT_EQ(arm(forgotten), EBADF);
  }
  remove(forgotten);
  ASSERT_EQ(arm(next), 0);
  turn(testing::kPatience);
  EXPECT_EQ(next.heard, 2) << "and its own watch goes on";
  remove(next);
  close(number);
}

TEST_F(WatchersTest, leaves_a_number_to_its_next_owner_when_it_tells_late) {
  if (!knows_edges()) GTEST_SKIP() << "poll knows numbers only";
  Lookout reader, writer, next;
  const Descriptor number = sockets_[0];
  sockets_.fill(0);
  ASSERT_EQ(add(reader, number), 0);
  ASSERT_EQ(add(writer, number, Interest::writable), 0);
  sockets_.send(1);
  std::array<Ready, 64> ready;
  const size_t count = poller_->wait(ready, testing::kPatience);
  ASSERT_EQ(count, 1u);
  sockets_.close_end(0);
  Sockets others;
  ASSERT_EQ(dup2(others[0], number), number);
  ASSERT_EQ(add(next, number), 0);
  watchers_->tell({ready.data(), count});
  EXPECT_EQ(reader.heard, 1);
  others.send(1);
  turn(testing::kPatience);
  EXPECT_EQ(next.heard, 1);
  EXPECT_EQ(writer.heard, 0) << "what it waited for is gone";
  for (Lookout* each : {&reader, &writer, &next}) remove(*each);
  close(number);
}

TEST_F(WatchersTest, may_be_changed_by_the_one_it_tells) {
  Lookout self, other;
  Sockets more;
  self.work = [&] {
    remove(self);
    ASSERT_EQ(add(other, more[0]), 0);
  };
  add(self, sockets_[0]);
  sockets_.send(1);
  more.send(1);
  turn(testing::kPatience);
  EXPECT_EQ(self.heard, 1);
  turn(testing::kPatience);
  EXPECT_EQ(other.heard, 1);
  other.work = [&] { ASSERT_EQ(arm(other), 0); };
  arm(other);
  turn(testing::kPatience);
  turn(testing::kPatience);
  EXPECT_EQ(other.heard, 3);
  remove(other);
}

TEST_F(WatchersTest, does_not_tell_one_that_another_has_just_removed) {
  Lookout first, second;
  first.work = [&] { remove(second); };
  second.work = [&] { remove(first); };
  add(first, sockets_[0]);
  add(second, sockets_[0]);
  sockets_.send(1);
  turn(testing::kPatience);
  EXPECT_EQ(first.heard + second.heard, 1);
  remove(first);
  remove(second);
}

TEST_F(WatchersTest, does_not_return_from_a_removal_while_another_thread_tells) {
  Lookout one;
  testing::Gate begun, go;
  std::atomic<bool> inside{false}, removed{false};
  one.work = [&] {
    inside = true;
    begun.open();
    go.wait();
    for (int i = 0; i < 2'000 && !removed; ++i) std::this_thread::yield();
    inside = false;
  };
  add(one, sockets_[0]);
  sockets_.send(1);
  std::thread teller([&] { turn(testing::kPatience); });
  ASSERT_TRUE(begun.wait());
  go.open();
  remove(one);
  removed = true;
  EXPECT_FALSE(inside);
  teller.join();
}

TEST_F(WatchersTest, says_whether_all_whom_it_told_are_busy) {
  Lookout busy, idle;
  busy.is_busy = true;
  sockets_.send(1);
  ASSERT_EQ(add(busy, sockets_[0]), 0);
  turn(testing::kPatience);
  EXPECT_FALSE(are_awaited_);
  turn();
  EXPECT_TRUE(are_awaited_) << "nobody was told anything";
  ASSERT_EQ(add(idle, sockets_[0]), 0);
  ASSERT_EQ(arm(busy), 0);
  turn(testing::kPatience);
  EXPECT_EQ(busy.heard, 2);
  EXPECT_EQ(idle.heard, 1);
  EXPECT_TRUE(are_awaited_);
  remove(busy);
  remove(idle);
}

TEST_F(WatchersTest, tells_what_is_added_and_removed_by_many_threads_or_nothing) {
  constexpr int kThreads = 3, kRounds = 3'000;
  struct Plain : Watcher {
    int heard = 0;  // not atomic: what was told before it was removed has happened
    static bool hear(Watcher& self, Readiness) noexcept { return ++static_cast<Plain&>(self).heard > 0; }
  };
  sockets_.send(1);
  std::atomic<int> working{kThreads};
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      std::mt19937 random(t);
      Sockets own;
      own.send(1);
      for (int round = 0; round < kRounds; ++round) {
        Plain shared, mine;  // end with the round: what is told later is told to freed memory
        ASSERT_EQ(watchers_->add(shared, sockets_[0], Interest::both, Trigger::once, Plain::hear), 0);
        ASSERT_EQ(watchers_->add(mine, own[0], Interest::readable, Trigger::once, Plain::hear), 0);
        for (unsigned pause = random() % 8; pause > 0; --pause) std::this_thread::yield();
        if (random() % 2) watchers_->arm(shared, Interest::readable);
        watchers_->remove(shared);
        watchers_->remove(mine);
        ASSERT_LE(shared.heard, 2);
        ASSERT_LE(mine.heard, 1);
      }
      --working;
    });
  }
  while (working > 0) turn(1ms);
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(turn(), 0u) << "nothing is watched any more";
}

}  // namespace
}  // namespace offloop
