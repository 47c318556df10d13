#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <deque>
#include <random>

#include "support/queue_fixture.hpp"

namespace offloop {
namespace {

using testing::Numbers;
using testing::Words;
using testing::write;

class QueueModelTest : public testing::QueueTest {};

/// A deque that does what the queue is to do, one message at a time.
TEST_F(QueueModelTest, does_what_its_model_does) {
  for (uint32_t seed = 0; seed < 200; ++seed) {
    std::minstd_rand random(seed);
    const auto below = [&](uint32_t n) { return static_cast<uint32_t>(random() % n); };
    const uint32_t capacity = 1 + below(40);
    const auto overflow = static_cast<Overflow>(below(4));
    open(capacity, overflow);
    std::deque<double> model;
    std::deque<double> lent;
    uint64_t dropped = 0;
    double next = 0;
    for (int step = 0; step < 300; ++step) {
      if (below(3) > 0) {
        const uint32_t wanted = 1 + below(20);
        const uint32_t promised = queue_->reserve(wanted).messages;
        const bool full = overflow != Overflow::drop_oldest && model.size() + lent.size() == capacity;
        ASSERT_EQ(promised == 0, full) << "seed " << seed;
        if (full && overflow == Overflow::drop_newest) ++dropped;
        const uint32_t count = promised == 0 ? 0 : below(promised + 1);
        Words words;
        for (uint32_t i = 0; i < count; ++i) {
          write(words, Value::of(next));
          model.push_back(next++);
        }
        ASSERT_TRUE(queue_->commit(words.data(), words.size(), count, promised - count));
        while (model.size() > 0 && model.size() + lent.size() > capacity) {
          model.pop_front();
          ++dropped;
        }
      } else if (below(4) == 0) {
        for (uint32_t back = below(static_cast<uint32_t>(lent.size()) + 1); back > 0; --back) {
          Words words;
          write(words, Value::of(lent.back()));
          ASSERT_TRUE(queue_->take_back(words.data(), words.size()));
          model.push_front(lent.back());
          lent.pop_back();
        }
      } else {
        const uint32_t received = below(static_cast<uint32_t>(lent.size()) + 1);
        const uint32_t most = 1 + below(30);
        const Numbers taken = take({received, most, true});
        lent.erase(lent.begin(), lent.begin() + received);
        ASSERT_EQ(taken.size(), std::min<size_t>(most, model.size())) << "seed " << seed;
        for (const double number : taken) {
          ASSERT_EQ(number, model.front()) << "seed " << seed;
          model.pop_front();
          lent.push_back(number);
        }
      }
      ASSERT_EQ(queue_->counts().held, model.size() + lent.size());
      ASSERT_EQ(queue_->counts().dropped, dropped);
    }
  }
}

TEST_F(QueueModelTest, loses_and_doubles_nothing_between_four_senders_and_a_receiver) {
  constexpr int kSenders = 4;
  constexpr int kEach = 20'000;
  open(64, Overflow::wait);
  std::vector<std::thread> senders;
  for (int sender = 0; sender < kSenders; ++sender) {
    senders.emplace_back([&, sender] {
      const auto parker = std::make_shared<Parker>();
      for (int i = 0; i < kEach;) {
        const uint32_t promised = queue_->reserve(8).messages;
        Words words;
        uint32_t count = 0;
        for (; count < promised && i < kEach; ++count) write(words, Value::of(sender * 1e6 + i++));
        if (promised > 0) {
          queue_->commit(words.data(), words.size(), count, promised - count);
        } else if (!queue_->await_room(Waker(parker))) {
          parker->park();
        }
      }
    });
  }
  std::array<int, kSenders> next{};
  uint32_t lent = 0;
  for (int received = 0; received < kSenders * kEach;) {
    const Numbers taken = take({lent, 16, true});
    lent = taken_.messages;
    for (const double number : taken) {
      const int sender = static_cast<int>(number / 1e6);
      ASSERT_EQ(number, sender * 1e6 + next[sender]++);
    }
    received += static_cast<int>(lent);
    if (lent == 0) parker_->park();
  }
  for (std::thread& sender : senders) sender.join();
  EXPECT_EQ(take({lent, 1, true}), Numbers());
  EXPECT_EQ(queue_->counts().received, uint64_t{kSenders} * kEach);
  EXPECT_LE(queue_->counts().high_water, 64u);
}

TEST_F(QueueModelTest, releases_every_sender_and_the_receiver_when_it_is_closed_in_the_middle) {
  for (int round = 0; round < 50; ++round) {
    open(4, Overflow::wait);
    std::atomic<uint64_t> sent{0};
    std::vector<std::thread> senders;
    for (int i = 0; i < 3; ++i) {
      senders.emplace_back([&] {
        const auto parker = std::make_shared<Parker>();
        for (;;) {
          const Queue::Room room = queue_->reserve(1);
          if (room.closed) return;
          if (room.messages > 0) {
            Words words;
            write(words, Value::of(1.0));
            queue_->commit(words.data(), words.size(), 1, 0);
            ++sent;
          } else if (!queue_->await_room(Waker(parker))) {
            parker->park();
          }
        }
      });
    }
    uint64_t received = 0;
    for (bool closed = false;;) {
      received += take(2).size();
      if (received > 100 && !closed) {
        queue_->close();
        closed = true;
      }
      if (taken_.ended) break;
      if (taken_.messages == 0) parker_->park();
    }
    for (std::thread& sender : senders) sender.join();
    EXPECT_EQ(received, sent);
  }
}

}  // namespace
}  // namespace offloop
