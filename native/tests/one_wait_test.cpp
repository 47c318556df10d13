// A native thread waits for everything at once: tasks that come home, sockets, times and rings, out of one wait.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <thread>

#include "core/shared_wake.hpp"
#include "core/watchers.hpp"
#include "support/environment.hpp"
#include "support/gate.hpp"
#include "support/lookout.hpp"
#include "support/pollers.hpp"

namespace offloop {
namespace {

using testing::Environment;
using testing::Lookout;
using testing::Sockets;

/// Whoever rings the wake rings the thread's own wake handle.
class Ear final : public SharedWake::Listener {
 public:
  Ear(std::shared_ptr<SharedWake> wake, WakeHandle& handle) : wake_(std::move(wake)), handle_(handle) {}
  ~Ear() override { wake_->leave(*this); }
  bool look() { return wake_->look(*this); }

 private:
  void on_ring() noexcept override { handle_.ring(); }
  const std::shared_ptr<SharedWake> wake_;
  WakeHandle& handle_;
};

TEST(OneWait, brings_completions_readiness_times_and_rings) {
  Environment environment;  // its mailbox's doorbell is its wake handle
  Watchers watchers(environment.poller());
  const auto wake = SharedWake::open();
  Ear ear(wake, environment.wake());
  const auto pool = testing::make_pool();
  Sockets sockets;
  Lookout lookout;
  std::thread ringer;

  constexpr int kRounds = 500;
  int round = 0, home = 0, rings = 0, times = 0;
  auto ask_for_the_next = [&] {
    if (round % 3 == 0) {
      environment.run(*pool, [](Call& call) { return call.returns(); });
    } else if (round % 3 == 1) {
      sockets.send(1);
    } else {
      if (ringer.joinable()) ringer.join();
      ringer = std::thread([&wake] { wake->ring(); });
    }
    ++round;
  };
  lookout.work = [&] {
    sockets.receive(0);
    EXPECT_EQ(watchers.arm(lookout, Interest::readable), 0);
    ask_for_the_next();
  };
  ASSERT_EQ(watchers.add(lookout, sockets[0], Interest::readable, Trigger::once, Lookout::hear), 0);
  ask_for_the_next();

  const int64_t end = steady_ns() + std::chrono::nanoseconds(testing::kPatience).count();
  int64_t due_ns = steady_ns();
  while (round < kRounds && steady_ns() < end) {
    if (const size_t count = environment.collect().size()) {
      home += static_cast<int>(count);
      ask_for_the_next();
    }
    if (ear.look()) {
      ++rings;
      ask_for_the_next();
    }
    if (steady_ns() >= due_ns) {
      ++times;
      due_ns = steady_ns() + 1'000'000;
    }
    if (!environment.mailbox().sleep()) continue;
    // The one wait.
    std::array<Ready, 64> ready;
    const std::chrono::nanoseconds left(std::max<int64_t>(due_ns - steady_ns(), 0));
    const size_t count = environment.poller().wait(ready, left);
    environment.wake().clear();
    watchers.tell({ready.data(), count});
  }
  EXPECT_GE(round, kRounds);
  EXPECT_EQ(home + lookout.heard + rings, round - 1) << "the last one is still under way";
  EXPECT_GE(home, kRounds / 3);
  EXPECT_GE(lookout.heard, kRounds / 3);
  EXPECT_GE(rings, kRounds / 3 - 1);
  EXPECT_GT(times, 1);
  if (ringer.joinable()) ringer.join();
  watchers.remove(lookout);
  testing::close_and_wait(environment, *pool);
}

}  // namespace
}  // namespace offloop
