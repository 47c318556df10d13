#include "base/linger.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

namespace offloop {
namespace {

/// Looks at the condition that a chance cost. One look means that the chance was not taken.
int looks_at_nothing(Linger& linger, int64_t bound_ns) {
  int looks = 0;
  EXPECT_FALSE(linger.wait(bound_ns, [&] {
    ++looks;
    return false;
  }));
  return looks;
}

int chances_taken(Linger& linger, int chances) {
  int taken = 0;
  for (int i = 0; i < chances; ++i) taken += looks_at_nothing(linger, 1) > 1;
  return taken;
}

TEST(Linger, returns_at_once_when_the_work_is_there) {
  Linger linger;
  EXPECT_TRUE(linger.wait(0, [] { return true; }));
  EXPECT_TRUE(linger.wait(1'000'000'000'000, [] { return true; }));
}

TEST(Linger, looks_once_and_does_not_spin_without_a_bound) {
  Linger linger;
  EXPECT_EQ(looks_at_nothing(linger, 0), 1);
}

TEST(Linger, gives_up_at_its_bound_and_not_before) {
  Linger linger;
  const int64_t began = steady_ns();
  looks_at_nothing(linger, 2'000'000);
  EXPECT_GE(steady_ns() - began, 2'000'000);
}

TEST(Linger, sees_work_that_another_thread_brings) {
  Linger linger;
  std::atomic<bool> work{false};
  std::atomic<bool> lingers{false};
  std::thread other([&] {
    while (!lingers) std::this_thread::yield();
    work = true;
  });
  EXPECT_TRUE(linger.wait(30'000'000'000, [&] {
    lingers = true;
    return work.load();
  }));
  other.join();
}

TEST(Linger, takes_every_chance_at_first) {
  Linger linger;
  EXPECT_EQ(chances_taken(linger, 4), 4);
}

TEST(Linger, takes_at_most_one_chance_in_64_once_that_proved_hopeless) {
  Linger linger;
  chances_taken(linger, 1'000);
  EXPECT_EQ(chances_taken(linger, 6'400), 100);
}

TEST(Linger, takes_every_chance_again_after_a_hit) {
  Linger linger;
  chances_taken(linger, 1'000);
  bool hit = false;
  while (!hit) {  // the chance that is taken
    int looks = 0;
    hit = linger.wait(1'000'000'000, [&] { return ++looks > 1; });
  }
  EXPECT_EQ(chances_taken(linger, 4), 4);
}

}  // namespace
}  // namespace offloop
