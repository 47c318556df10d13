#include "core/shared_wake.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <deque>
#include <thread>
#include <vector>

#include "support/faults.hpp"
#include "support/gate.hpp"

namespace offloop {
namespace {

using testing::eventually;

/// Counts how often it is told to look.
class Ear final : public SharedWake::Listener {
 public:
  explicit Ear(std::shared_ptr<SharedWake> wake) : wake_(std::move(wake)) {}
  ~Ear() override { wake_->leave(*this); }
  bool look() { return wake_->look(*this); }

  std::atomic<int> told{0};

 private:
  void on_ring() noexcept override { ++told; }
  const std::shared_ptr<SharedWake> wake_;
};

TEST(SharedWake, remembers_rings_that_came_before_somebody_looks_as_one) {
  const auto wake = SharedWake::open();
  Ear ear(wake);
  for (int i = 0; i < 3; ++i) wake->ring();
  EXPECT_EQ(ear.told, 0) << "nobody waits";
  EXPECT_TRUE(ear.look());
  EXPECT_FALSE(ear.look());
  EXPECT_EQ(wake->counts().rings, 3u);
  EXPECT_EQ(wake->counts().wake_ups, 1u);
}

TEST(SharedWake, tells_one_who_looked_in_vain_once) {
  const auto wake = SharedWake::open();
  Ear ear(wake);
  EXPECT_FALSE(ear.look());
  EXPECT_FALSE(ear.look());
  for (int i = 0; i < 3; ++i) wake->ring();
  EXPECT_EQ(ear.told, 1);
  EXPECT_TRUE(ear.look());
  wake->ring();
  EXPECT_EQ(ear.told, 1);
}

TEST(SharedWake, is_heard_by_every_listener) {
  const auto wake = SharedWake::open();
  Ear waits(wake), late(wake);
  EXPECT_FALSE(waits.look());
  wake->ring();
  EXPECT_EQ(waits.told, 1);
  EXPECT_TRUE(waits.look());
  EXPECT_TRUE(late.look());
  Ear later(wake);
  EXPECT_TRUE(later.look()) << "also by one that was not there yet";
}

TEST(SharedWake, tells_nothing_to_one_who_has_left) {
  const auto wake = SharedWake::open();
  auto ear = std::make_unique<Ear>(wake);
  EXPECT_FALSE(ear->look());
  ear.reset();
  wake->ring();
}

TEST(SharedWake, is_found_by_its_number_while_somebody_holds_it) {
  auto wake = SharedWake::open();
  const auto other = SharedWake::open();
  const uint64_t number = wake->number();
  EXPECT_NE(number, other->number());
  EXPECT_EQ(SharedWake::find(number), wake);
  wake.reset();
  EXPECT_EQ(SharedWake::find(number), nullptr);
  EXPECT_EQ(SharedWake::find(0), nullptr);
  EXPECT_EQ(SharedWake::find(other->number()), other);
}

TEST(SharedWake, changes_nothing_when_there_is_no_memory) {
  const auto before = SharedWake::open();
  int failures = 0;
  for (bool opened = false; !opened; ++failures) {
    ASSERT_LT(failures, 100);
    try {
      testing::FailingAllocations later(failures);
      SharedWake::open();
      opened = true;
    } catch (const std::bad_alloc&) {
    }
  }
  EXPECT_GT(failures, 3) << "the wake, what counts its holders, and its place in the directory";
  EXPECT_EQ(SharedWake::find(before->number()), before);
}

TEST(SharedWake, loses_no_ring_of_many_threads) {
  constexpr int kThreads = 3;
  constexpr uint64_t kEach = 20'000;
  const auto wake = SharedWake::open();
  std::atomic<uint64_t> published{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&] {
      for (uint64_t i = 0; i < kEach; ++i) {
        published.fetch_add(1, std::memory_order_relaxed);  // the wake's lock publishes it
        wake->ring();
      }
    });
  }
  Ear ear(wake);
  uint64_t seen = 0;
  int told = 0;
  // Looks, and after a look in vain only when it is told to: a lost ring would be waited for in vain.
  const bool all = eventually([&] {
    while (ear.look()) seen = published.load(std::memory_order_relaxed);
    if (seen == kThreads * kEach) return true;
    const bool is_told = eventually([&] { return ear.told > told; });
    told = ear.told;
    return !is_told;
  });
  EXPECT_TRUE(all);
  EXPECT_EQ(seen, kThreads * kEach);
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wake->counts().rings, kThreads * kEach);
}

}  // namespace
}  // namespace offloop
