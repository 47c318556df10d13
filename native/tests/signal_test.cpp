#include "core/signal.hpp"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

#include "support/gate.hpp"

namespace offloop {
namespace {

/// A doorbell that counts.
struct Bell {
  std::atomic<int> rings{0};
  static void ring(void* self) noexcept { ++static_cast<Bell*>(self)->rings; }
};

class SignalTest : public ::testing::Test {
 protected:
  SignalTest() { mailbox_->connect(&Bell::ring, &bell_); }
  ~SignalTest() override {
    signal_->close();
    mailbox_->abandon(0);
  }
  /// Takes the mail as an environment does. Returns how many signals there were.
  int arrived() {
    int count = 0;
    for (Letter* letter = mailbox_->take(); letter; ++count) {
      Letter* next = letter->next;
      EXPECT_TRUE(letter->is(Letter::Kind::signal));
      EXPECT_EQ(letter->slot, 7u);
      static_cast<Signal*>(letter)->arrive();
      letter = next;
    }
    return count;
  }

  Mailbox* const mailbox_ = Mailbox::open();
  Bell bell_;
  std::shared_ptr<Signal> signal_ = std::make_shared<Signal>(*mailbox_, 7);
};

TEST_F(SignalTest, arrives_once_however_often_it_was_raised) {
  EXPECT_TRUE(signal_->raise());
  EXPECT_FALSE(signal_->raise());
  EXPECT_FALSE(signal_->raise());
  EXPECT_EQ(bell_.rings, 1);
  EXPECT_EQ(arrived(), 1);
  EXPECT_EQ(arrived(), 0);
}

TEST_F(SignalTest, arrives_again_when_it_is_raised_after_it_has_arrived) {
  signal_->raise();
  EXPECT_EQ(arrived(), 1);
  signal_->raise();
  EXPECT_EQ(arrived(), 1);
}

TEST_F(SignalTest, is_silent_once_it_is_closed) {
  signal_->close();
  EXPECT_FALSE(signal_->raise());
  EXPECT_EQ(arrived(), 0);
  EXPECT_EQ(bell_.rings, 0);
}

TEST_F(SignalTest, lives_until_it_has_arrived) {
  std::weak_ptr<Signal> watch = signal_;
  signal_->raise();
  signal_ = std::make_shared<Signal>(*mailbox_, 7);
  EXPECT_FALSE(watch.expired());
  EXPECT_EQ(arrived(), 1);
  EXPECT_TRUE(watch.expired());
}

TEST_F(SignalTest, goes_with_a_mailbox_that_is_abandoned) {
  std::weak_ptr<Signal> watch = signal_;
  Mailbox* const mailbox = Mailbox::open();
  auto other = std::make_shared<Signal>(*mailbox, 1);
  watch = other;
  other->raise();
  other->close();
  other.reset();
  mailbox->abandon(0);
  EXPECT_TRUE(watch.expired());
}

TEST_F(SignalTest, lets_whoever_hears_it_see_all_that_was_written_before_it_was_raised) {
  constexpr int kThreads = 4;
  constexpr int kTimes = 5'000;
  std::vector<int> written(kThreads * 16, 0);  // plain integers, far apart: a race would be seen
  std::array<std::mutex, kThreads> locks;
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&, i] {
      for (int n = 1; n <= kTimes; ++n) {
        {
          std::lock_guard lock(locks[i]);
          written[i * 16] = n;
        }
        signal_->raise();
      }
    });
  }
  // The last look comes after the last signal, so it finds the last numbers: no raise is lost.
  EXPECT_TRUE(testing::eventually([&] {
    if (arrived() == 0) return false;
    for (int i = 0; i < kThreads; ++i) {
      std::lock_guard lock(locks[i]);
      if (written[i * 16] < kTimes) return false;
    }
    return true;
  }));
  for (std::thread& thread : threads) thread.join();
}

TEST_F(SignalTest, may_be_closed_while_others_raise_it) {
  std::atomic<bool> done{false};
  std::thread raiser([&] {
    while (!done) signal_->raise();
  });
  EXPECT_TRUE(testing::eventually([&] { return arrived() > 0; }));
  signal_->close();
  arrived();
  bell_.rings = 0;
  for (int i = 0; i < 1'000; ++i) EXPECT_EQ(arrived(), 0) << "it is closed";
  done = true;
  raiser.join();
}

}  // namespace
}  // namespace offloop
