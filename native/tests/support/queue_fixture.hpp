// A queue for tests, seen from both ends.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string_view>
#include <thread>
#include <vector>

#include "core/message.hpp"
#include "core/queue.hpp"
#include "support/gate.hpp"

namespace offloop::testing {

using Words = std::vector<uint32_t>;

inline Value text(std::string_view text) {
  return Value::of(OFFLOOP_TEXT, reinterpret_cast<const uint8_t*>(text.data()), text.size());
}

/// Appends a message.
inline void write(Words& words, const Value& value) {
  const size_t end = words.size();
  words.resize(end + message::kMostWords);
  words.resize(end + message::write(value, words.data() + end));
}

/// One sender, and one receiver that counts how often it was woken.
class QueueTest : public ::testing::Test {
 protected:
  void open(uint32_t capacity, Overflow overflow = Overflow::reject) {
    queue_ = std::make_unique<Queue>(Queue::Options{capacity, overflow});
  }
  /// Sends one number. False: there was no room.
  bool send(double number) {
    if (queue_->reserve(1).messages == 0) return false;
    Words words;
    write(words, Value::of(number));
    EXPECT_TRUE(queue_->commit(words.data(), words.size(), 1, 0));
    return true;
  }
  /// Takes up to `most` numbers, which are received at once.
  std::vector<double> take(uint32_t most = 1000) { return take({0, most, false}); }
  std::vector<double> take(Queue::Wish wish) {
    taken_ = queue_->take(this, wish, room_, waker_);
    std::vector<double> numbers;
    const uint32_t* at = room_.data();
    for (uint32_t i = 0; i < taken_.messages; ++i, at += message::words_of(at)) {
      numbers.push_back(message::read(at, nullptr).number);
    }
    return numbers;
  }
  static bool is_woken(const std::shared_ptr<Parker>& parker) {
    std::atomic<bool> woken{false};
    std::thread sleeper([&] {
      parker->park();
      woken = true;
    });
    const bool in_time = eventually([&] { return woken.load(); });
    if (!in_time) parker->unpark();
    sleeper.join();
    return in_time;
  }

  std::unique_ptr<Queue> queue_;
  Words room_ = Words(message::kMostWords);
  Queue::Taken taken_;
  const std::shared_ptr<Parker> parker_ = std::make_shared<Parker>();
  const Waker waker_{parker_};
};

using Numbers = std::vector<double>;

}  // namespace offloop::testing
