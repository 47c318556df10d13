#include "platform/park.hpp"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

namespace offloop {
namespace {

TEST(Parking, returns_at_once_when_the_word_has_another_value) {
  std::atomic<uint32_t> number{1};
  wait_while(number, 0);
  const int thing = 0;
  std::atomic<const void*> pointer{&thing};
  wait_while(pointer, nullptr);
}

/// Two threads that hand a word to and fro: one wake-up lost, and both sleep for ever.
TEST(Parking, loses_no_wake_up_between_two_threads) {
  constexpr uint32_t kRounds = 100'000;
  std::atomic<uint32_t> turn{0};
  const auto play = [&turn](uint32_t first) {
    for (uint32_t mine = first; mine < kRounds; mine += 2) {
      for (uint32_t now; (now = turn.load()) != mine;) wait_while(turn, now);
      turn.store(mine + 1);
      wake_one(turn);
    }
  };
  std::thread other(play, 1);
  play(0);
  other.join();
  EXPECT_EQ(turn, kRounds);
}

TEST(Parking, wakes_all_who_wait) {
  const int thing = 0;
  std::atomic<const void*> pointer{&thing};
  std::atomic<uint32_t> number{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      wait_while(pointer, &thing);
      wait_while(number, 0);
    });
  }
  pointer = nullptr;
  wake_all(pointer);
  number = 1;
  wake_all(number);
  for (std::thread& thread : threads) thread.join();
}

}  // namespace
}  // namespace offloop
