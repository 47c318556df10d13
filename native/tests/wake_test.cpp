// What every wake handle must do, whatever the mechanism.
#include <thread>
#include <vector>

#include "support/pollers.hpp"

namespace offloop {
namespace {

using namespace std::chrono_literals;
using testing::kPatience;
using testing::Waiter;

template <class Pair>
class WakeHandles : public testing::PollerFixture<Pair> {};
TYPED_TEST_SUITE(WakeHandles, testing::Pairs, testing::PairName);

TYPED_TEST(WakeHandles, end_a_wait_with_a_ring) {
  std::thread other([this] { this->wake().ring(); });
  ASSERT_EQ(this->wait(kPatience), 1u);
  EXPECT_EQ(this->ready_[0].tag, nullptr);
  EXPECT_TRUE(this->ready_[0].readable);
  EXPECT_FALSE(this->ready_[0].writable);
  EXPECT_FALSE(this->ready_[0].hung_up);
  other.join();
}

TYPED_TEST(WakeHandles, remember_a_ring_that_came_before_the_wait) {
  this->wake().ring();
  EXPECT_EQ(this->wait(0ns), 1u);
}

TYPED_TEST(WakeHandles, count_many_rings_as_one_until_cleared) {
  for (int i = 0; i < 1'000; ++i) this->wake().ring();
  EXPECT_EQ(this->wait(0ns), 1u);
  this->wake().clear();
  EXPECT_EQ(this->wait(0ns), 0u);
  this->wake().ring();
  EXPECT_EQ(this->wait(0ns), 1u);
}

TYPED_TEST(WakeHandles, never_block_the_one_who_rings) {
  for (int i = 0; i < 200'000; ++i) this->wake().ring();
  this->wake().clear();
  for (int i = 0; i < 100'000; ++i) {
    this->wake().ring();
    this->wake().clear();
  }
  // What was cleared without a wait may end one.
  EXPECT_LE(this->wait(0ns), 1u);
  this->wake().clear();
  EXPECT_EQ(this->wait(0ns), 0u);
}

TYPED_TEST(WakeHandles, may_be_cleared_without_a_ring) {
  this->wake().clear();
  EXPECT_EQ(this->wait(0ns), 0u);
  this->wake().ring();
  EXPECT_EQ(this->wait(0ns), 1u);
}

TYPED_TEST(WakeHandles, share_a_poller_and_are_told_apart_by_their_tags) {
  using Wake = typename TestFixture::Wake;
  int error = 0;
  auto one = Wake::open(this->poller(), error, &this->tag_);
  auto other = Wake::open(this->poller(), error, &this->other_tag_);
  ASSERT_TRUE(one && other) << error;
  other->ring();
  ASSERT_EQ(this->wait(kPatience), 1u);
  EXPECT_EQ(this->ready_[0].tag, &this->other_tag_);
  other->clear();
  one->ring();
  this->wake().ring();
  ASSERT_EQ(this->wait(kPatience), 2u);
  const bool one_first = this->ready_[0].tag == &this->tag_;
  EXPECT_EQ(this->ready_[one_first ? 0 : 1].tag, &this->tag_);
  EXPECT_EQ(this->ready_[one_first ? 1 : 0].tag, nullptr);
}

TYPED_TEST(WakeHandles, are_silent_once_they_are_gone) {
  using Wake = typename TestFixture::Wake;
  int error = 0;
  auto one = Wake::open(this->poller(), error, &this->tag_);
  ASSERT_TRUE(one) << error;
  one->ring();
  one.reset();
  EXPECT_EQ(this->wait(0ns), 0u);
  this->wake().ring();
  EXPECT_EQ(this->wait(0ns), 1u);
}

TYPED_TEST(WakeHandles, lose_no_wake_up_between_two_threads) {
  constexpr int kRounds = 50'000;  // two wake-ups each
  Waiter<TypeParam> ping, pong;
  int pongs = 0;
  std::thread other([&] {
    for (int i = 0; i < kRounds && pong.rung(); ++i) {
      ++pongs;
      ping.wake->ring();
    }
  });
  int pings = 0;
  for (int i = 0; i < kRounds; ++i) {
    pong.wake->ring();
    if (!ping.rung()) break;
    ++pings;
  }
  other.join();
  EXPECT_EQ(pings, kRounds);
  EXPECT_EQ(pongs, kRounds);
}

TYPED_TEST(WakeHandles, show_what_was_published_before_a_ring_from_any_of_many_threads) {
  constexpr uint64_t kThreads = 4;
  constexpr uint64_t kEach = 50'000;
  std::atomic<uint64_t> published{0};
  std::vector<std::thread> threads;
  for (uint64_t t = 0; t < kThreads; ++t) {
    threads.emplace_back([&] {
      for (uint64_t i = 0; i < kEach; ++i) {
        published.fetch_add(1, std::memory_order_relaxed);  // the ring publishes it
        this->wake().ring();
      }
    });
  }
  bool rung = true;
  while (rung && published.load(std::memory_order_relaxed) < kThreads * kEach) rung = this->waiter_.rung();
  EXPECT_TRUE(rung);
  for (std::thread& thread : threads) thread.join();
}

// A wake-up that is lost while others ring is made up for by the next ring; here nobody rings again without an answer.
TYPED_TEST(WakeHandles, answer_every_ring_of_many_threads) {
  constexpr int kThreads = 4;
  constexpr int kRounds = 2'000;
  struct Caller {
    std::atomic<int> asked{0};
    std::atomic<int> answered{0};
  };
  std::array<Caller, kThreads> callers;
  std::atomic<int> at_work{kThreads};
  std::vector<std::thread> threads;
  for (Caller& caller : callers) {
    threads.emplace_back([&] {
      for (int round = 1; round <= kRounds; ++round) {
        caller.asked.store(round, std::memory_order_relaxed);  // the ring publishes it
        this->wake().ring();
        if (!testing::eventually([&] { return caller.answered == round; })) break;
      }
      --at_work;
      this->wake().ring();
    });
  }
  while (at_work > 0 && this->waiter_.rung()) {
    for (Caller& caller : callers) caller.answered = caller.asked.load(std::memory_order_relaxed);
  }
  for (std::thread& thread : threads) thread.join();
  for (Caller& caller : callers) EXPECT_EQ(caller.answered, kRounds);
}

#if !defined(_WIN32)
TEST(Pipe, takes_no_more_when_it_is_full_and_blocks_nobody) {
  int error = 0;
  const auto pipe = Pipe::open(error);
  ASSERT_TRUE(pipe) << error;
  for (int i = 0; i < 200'000; ++i) pipe->fill();  // more than a pipe holds
  pipe->empty();
  char byte;
  EXPECT_EQ(read(pipe->reading_end(), &byte, 1), -1);
  EXPECT_EQ(errno, EAGAIN);
}
#endif

}  // namespace
}  // namespace offloop
