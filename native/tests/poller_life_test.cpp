// How waits end, what other threads may do meanwhile, and what becomes of descriptors, whatever the mechanism.
#if !defined(_WIN32)
#include <pthread.h>
#include <signal.h>
#endif

#include <algorithm>
#include <cerrno>
#include <thread>
#include <utility>
#include <vector>

#include "base/cpu.hpp"
#include "platform/cpu_clock.hpp"
#include "support/faults.hpp"
#include "support/pollers.hpp"

namespace offloop {
namespace {

using namespace std::chrono_literals;
using testing::kPatience;
using testing::OneWay;
using testing::open_descriptors;
using testing::Sockets;

template <class Pair>
class PollerLife : public testing::PollerFixture<Pair> {
 protected:
  /// A thread that waits once, and what it was told.
  class Waiting {
   public:
    explicit Waiting(PollerLife& test)
        : thread_([this, &test] {
            begun_.open();
            count_ = test.wait(kPatience);
          }) {
      begun_.wait();
      // No event says that a thread has fallen asleep in the kernel: this makes it likely, and both orders must do.
      std::this_thread::sleep_for(2ms);
    }
    size_t end() {
      thread_.join();
      return count_;
    }

   private:
    testing::Gate begun_;
    size_t count_ = 0;
    std::thread thread_;
  };
};
TYPED_TEST_SUITE(PollerLife, testing::Pairs, testing::PairName);

// --- time ---

TYPED_TEST(PollerLife, returns_at_once_when_there_is_no_time) {
  EXPECT_EQ(this->wait(0ns), 0u);
  EXPECT_EQ(this->wait(-1s), 0u);
}

TYPED_TEST(PollerLife, waits_as_long_as_asked_and_not_less) {
  for (std::chrono::nanoseconds timeout : {1ns, 1'000'000ns, 2'000'001ns, 20'000'000ns}) {
    const int64_t began = steady_ns();
    EXPECT_EQ(this->wait(timeout), 0u);
    EXPECT_GE(steady_ns() - began, timeout.count());
  }
}

// Of many, because a busy machine delays some.
TYPED_TEST(PollerLife, is_not_late_by_more_than_the_system) {
  for (std::chrono::nanoseconds timeout : {100'000ns, 1'000'000ns}) {
    int64_t best = INT64_MAX;
    for (int i = 0; i < 50; ++i) {
      const int64_t began = steady_ns();
      EXPECT_EQ(this->wait(timeout), 0u);
      best = std::min(best, steady_ns() - began);
    }
    EXPECT_GE(best, timeout.count());
    const int64_t grain = this->is("iocp") ? 1'000'000 : 0;  // a completion port counts in milliseconds
    EXPECT_LT(best, timeout.count() + grain + 850'000) << "rounded up to milliseconds?";
  }
}

TYPED_TEST(PollerLife, waits_for_ever_and_for_nearly_ever) {
  using Poller = typename TestFixture::Poller;
  for (std::chrono::nanoseconds timeout :
       {Poller::kForever, Poller::kForever - 1ns, std::chrono::nanoseconds(40h * 24 * 365)}) {
    testing::Gate waits;
    std::thread other([&] {
      waits.wait();
      this->wake().ring();
    });
    waits.open();
    EXPECT_EQ(this->wait(timeout), 1u);
    this->wake().clear();
    other.join();
  }
}

#if !defined(_WIN32)
TYPED_TEST(PollerLife, ends_in_time_although_signals_interrupt_it_again_and_again) {
  struct sigaction before, ignoring{};
  ignoring.sa_handler = [](int) {};  // without SA_RESTART
  ASSERT_EQ(sigaction(SIGUSR1, &ignoring, &before), 0);
  std::atomic<bool> ended{false};
  int64_t waited_ns = 0;
  testing::Gate waits;
  std::thread waiter([&] {
    waits.open();
    const int64_t began = steady_ns();
    const int64_t end = began + 50'000'000;
    // A wait may end early for a signal, but what is left must become less.
    for (int64_t left; (left = end - steady_ns()) > 0;) this->wait(std::chrono::nanoseconds(left));
    waited_ns = steady_ns() - began;
    ended = true;
  });
  ASSERT_TRUE(waits.wait());
  const int64_t give_up = steady_ns() + 2'000'000'000;
  while (!ended && steady_ns() < give_up) {
    pthread_kill(waiter.native_handle(), SIGUSR1);
    std::this_thread::sleep_for(1ms);  // a pace, not a wait: one signal in each millisecond
  }
  waiter.join();
  sigaction(SIGUSR1, &before, nullptr);
  EXPECT_GE(waited_ns, 50'000'000);
  EXPECT_LT(waited_ns, 1'500'000'000);
}
#endif

// --- other threads, while one waits ---

TYPED_TEST(PollerLife, tells_of_what_is_watched_while_it_waits) {
  Sockets sockets;
  sockets.send(1);
  typename TestFixture::Waiting waiting(*this);
  EXPECT_EQ(this->poller().watch(sockets[0], Interest::readable, &this->tag_), 0);
  ASSERT_EQ(waiting.end(), 1u);
  EXPECT_EQ(this->ready_[0].tag, &this->tag_);
}

TYPED_TEST(PollerLife, tells_of_what_is_watched_for_something_else_while_it_waits) {
  Sockets sockets;
  ASSERT_EQ(this->poller().watch(sockets[0], Interest::readable, &this->tag_), 0);
  typename TestFixture::Waiting waiting(*this);
  EXPECT_EQ(this->poller().rewatch(sockets[0], Interest::writable, &this->other_tag_, Trigger::once), 0);
  ASSERT_EQ(waiting.end(), 1u);
  EXPECT_EQ(this->ready_[0].tag, &this->other_tag_);
  EXPECT_TRUE(this->ready_[0].writable);
}

TYPED_TEST(PollerLife, is_armed_again_while_it_waits) {
  Sockets sockets;
  ASSERT_EQ(this->poller().watch(sockets[0], Interest::writable, &this->tag_, Trigger::once), 0);
  EXPECT_EQ(this->wait(0ns), 1u);
  for (int i = 0; i < 3; ++i) {
    typename TestFixture::Waiting waiting(*this);
    EXPECT_EQ(this->poller().rewatch(sockets[0], Interest::writable, &this->tag_, Trigger::once), 0);
    ASSERT_EQ(waiting.end(), 1u);
    EXPECT_EQ(this->wait(0ns), 0u);
  }
}

TYPED_TEST(PollerLife, tells_no_more_of_what_is_unwatched_while_it_waits) {
  Sockets gone, stays;
  ASSERT_EQ(this->poller().watch(gone[0], Interest::readable, &this->other_tag_), 0);
  ASSERT_EQ(this->poller().watch(stays[0], Interest::readable, &this->tag_), 0);
  typename TestFixture::Waiting waiting(*this);
  EXPECT_EQ(this->poller().unwatch(gone[0]), 0);
  gone.send(1);
  gone.close_end(1);
  stays.send(1);
  ASSERT_EQ(waiting.end(), 1u);
  EXPECT_EQ(this->ready_[0].tag, &this->tag_);
}

TYPED_TEST(PollerLife, lets_go_of_what_is_unwatched_and_closed_while_it_waits) {
  Sockets sockets;
  ASSERT_EQ(this->poller().watch(sockets[0], Interest::readable, &this->tag_), 0);
  typename TestFixture::Waiting waiting(*this);
  EXPECT_EQ(this->poller().unwatch(sockets[0]), 0);
  sockets.close_end(0);
  EXPECT_TRUE(testing::eventually([&] { return sockets.at_end(1); })) << "not really closed";
  this->wake().ring();
  EXPECT_EQ(waiting.end(), 1u);
}

TYPED_TEST(PollerLife, tells_each_of_many_watchers_of_one_number_and_never_an_earlier_one) {
  constexpr size_t kRounds = 300;
  std::vector<char> tags(kRounds);
  std::atomic<size_t> latest{0};  // one more than the round
  std::atomic<bool> done{false};
  size_t out_of_order = 0;
  std::thread waiter([&] {
    while (!done) {
      const size_t count = this->wait(kPatience);
      for (size_t i = 0; i < count; ++i) {
        if (!this->ready_[i].tag) continue;
        const auto round = static_cast<size_t>(static_cast<char*>(this->ready_[i].tag) - tags.data()) + 1;
        out_of_order += round < latest;
        latest = round;
      }
    }
  });
  size_t told = 0;
  for (size_t round = 0; round < kRounds; ++round) {
    Sockets sockets;  // the same numbers in every round
    if (this->poller().watch(sockets[0], Interest::readable, &tags[round]) != 0) break;
    sockets.send(1);
    if (!testing::eventually([&] { return latest == round + 1; })) break;
    ++told;
    if (this->poller().unwatch(sockets[0]) != 0) break;
  }
  done = true;
  this->wake().ring();
  waiter.join();
  EXPECT_EQ(told, kRounds);
  EXPECT_EQ(out_of_order, 0u);
}

// --- descriptors that come and go ---

TYPED_TEST(PollerLife, forgets_what_is_closed_while_it_is_watched) {
  for (Trigger trigger : {Trigger::level, Trigger::once}) {
    Sockets sockets;
    const Descriptor number = sockets[0];
    // A completion port tells what was ready before it was closed.
    const Interest interest = this->is("iocp") ? Interest::readable : Interest::both;
    ASSERT_EQ(this->poller().watch(number, interest, &this->tag_, trigger), 0);
    sockets.close_end(0);
    for (int i = 0; i < 3; ++i) EXPECT_EQ(this->wait(0ns), 0u);
    // The clock of Windows counts whole ticks, of up to 16 ms: one that falls into the sleep is no proof.
    const auto [nap, most] = this->is("iocp") ? std::pair{200ms, 40ms} : std::pair{50ms, 5ms};
    const CpuClock clock = CpuClock::of_this_thread();
    const int64_t worked = clock.now_ns();
    EXPECT_EQ(this->wait(nap), 0u);
    EXPECT_LT(std::chrono::nanoseconds(clock.now_ns() - worked), most) << "it does not sleep";
    this->wake().ring();
    EXPECT_EQ(this->wait(kPatience), 1u);
    EXPECT_EQ(this->ready_[0].tag, nullptr);
    this->wake().clear();
    EXPECT_EQ(this->poller().rewatch(number, Interest::readable, &this->tag_, trigger), EBADF);
    EXPECT_EQ(this->poller().unwatch(number), 0);
    EXPECT_EQ(this->poller().unwatch(number), ENOENT);
  }
}

#if !defined(_WIN32)
// Elsewhere no number can be given to another while it is open.
TYPED_TEST(PollerLife, watches_a_number_anew_whose_earlier_owner_was_closed_while_it_was_watched) {
  Sockets earlier, later;
  const Descriptor number = earlier[0];
  ASSERT_EQ(this->poller().watch(number, Interest::both, &this->other_tag_), 0);
  ASSERT_EQ(dup2(later[0], number), number);  // closes it
  EXPECT_EQ(this->poller().watch(number, Interest::readable, &this->tag_), EEXIST);
  EXPECT_EQ(this->poller().unwatch(number), 0);
  ASSERT_EQ(this->poller().watch(number, Interest::readable, &this->tag_), 0);
  EXPECT_EQ(this->wait(0ns), 0u);
  later.send(1);
  ASSERT_EQ(this->wait(kPatience), 1u);
  EXPECT_EQ(this->ready_[0].tag, &this->tag_);
  EXPECT_FALSE(this->ready_[0].writable);
}
#endif

TYPED_TEST(PollerLife, may_end_while_it_watches) {
  using Poller = typename TestFixture::Poller;
  Sockets sockets;
  int error = 0;
  {
    auto poller = Poller::open(error);
    ASSERT_TRUE(poller) << error;
    ASSERT_EQ(poller->watch(sockets[0], Interest::both, &this->tag_), 0);
  }
  sockets.send(0);
  ASSERT_EQ(this->poller().watch(sockets[1], Interest::readable, &this->tag_), 0);
  EXPECT_EQ(this->wait(kPatience), 1u);
}

TYPED_TEST(PollerLife, says_so_when_there_is_no_memory_and_watches_nothing) {
  Sockets sockets;
  const testing::FarAway distant(sockets[0]);
  {
    testing::FailingAllocations now;
    EXPECT_EQ(this->poller().watch(distant, Interest::writable, &this->tag_), ENOMEM);
  }
  EXPECT_EQ(this->wait(0ns), 0u);
  EXPECT_EQ(this->poller().unwatch(distant), ENOENT);
  EXPECT_EQ(this->poller().watch(distant, Interest::writable, &this->tag_), 0);
  EXPECT_EQ(this->wait(kPatience), 1u);
  EXPECT_EQ(this->poller().unwatch(distant), 0);
}

TYPED_TEST(PollerLife, watches_no_pipe_for_which_there_is_too_little_memory) {
  OneWay ends;
  int error = ENOMEM;
  for (int after = 0; error; ++after) {
    {
      testing::FailingAllocations later(after);
      error = this->poller().watch(ends[0], Interest::readable, &this->tag_);
    }
    ASSERT_TRUE(error == 0 || error == ENOMEM) << error;
    if (error) EXPECT_EQ(this->poller().unwatch(ends[0]), ENOENT);
  }
  ends.send(1);
  EXPECT_EQ(this->wait(kPatience), 1u);
  EXPECT_EQ(this->poller().unwatch(ends[0]), 0);
}

TYPED_TEST(PollerLife, leaves_no_descriptor_open_when_there_is_no_memory) {
  using Poller = typename TestFixture::Poller;
  using Wake = typename TestFixture::Wake;
  int error = 0;
  auto poller = Poller::open(error);
  ASSERT_TRUE(Wake::open(*poller, error));  // once, so that there is room to watch it
  const std::set<Descriptor> before = open_descriptors();
  for (int after = 0; after < 4; ++after) {
    try {
      testing::FailingAllocations later(after);
      Poller::open(error);
    } catch (const std::bad_alloc&) {
    }
    EXPECT_EQ(open_descriptors(), before) << after;
    try {
      testing::FailingAllocations later(after);
      Wake::open(*poller, error);
    } catch (const std::bad_alloc&) {
    }
    EXPECT_EQ(open_descriptors(), before) << after;
  }
}

TYPED_TEST(PollerLife, leaves_no_descriptor_open) {
  const std::set<Descriptor> before = open_descriptors();
  {
    testing::Waiter<TypeParam> short_lived;
  }
  EXPECT_EQ(open_descriptors(), before);
}

TYPED_TEST(PollerLife, passes_no_descriptor_on_to_a_child) {
  const std::set<Descriptor> before = open_descriptors();
  testing::Waiter<TypeParam> waiter;
  for (Descriptor fd : open_descriptors()) {
    EXPECT_TRUE(before.contains(fd) || !testing::children_inherit(fd)) << fd;
  }
}

#if !defined(_WIN32)
TYPED_TEST(PollerLife, says_so_when_there_are_no_descriptors_left) {
  using Poller = typename TestFixture::Poller;
  using Wake = typename TestFixture::Wake;
  const bool wake_needs_one = Poller::kName != std::string_view("kqueue") || std::is_same_v<Wake, PipeWake<Poller>>;
  // Looked up now, because UndefinedBehaviorSanitizer needs descriptors of its own to check that.
  Poller& poller = this->poller();
  const std::set<Descriptor> before = open_descriptors();
  rlimit allowed;
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &allowed), 0);
  const rlimit none{0, allowed.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &none), 0);
  int error = 0;
  EXPECT_EQ(Wake::open(poller, error) == nullptr, wake_needs_one);
  EXPECT_EQ(error, wake_needs_one ? EMFILE : 0);
  error = 0;
  EXPECT_FALSE(Poller::open(error));
  EXPECT_EQ(error, EMFILE);
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &allowed), 0);
  EXPECT_TRUE(Wake::open(poller, error));
  EXPECT_TRUE(Poller::open(error));
  EXPECT_EQ(open_descriptors(), before);
}
#endif

TEST(Milliseconds, round_up_and_stay_within_what_the_system_takes) {
  EXPECT_EQ(to_milliseconds(0ns), 0);
  EXPECT_EQ(to_milliseconds(-5ms), 0);
  EXPECT_EQ(to_milliseconds(1ns), 1);
  EXPECT_EQ(to_milliseconds(1ms), 1);
  EXPECT_EQ(to_milliseconds(1ms + 1ns), 2);
  EXPECT_EQ(to_milliseconds(std::chrono::nanoseconds::max()), -1);
  EXPECT_EQ(to_milliseconds(std::chrono::nanoseconds::max() - 1ns), INT32_MAX);
}

}  // namespace
}  // namespace offloop
