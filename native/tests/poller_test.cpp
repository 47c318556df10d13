// What every pair of poller and wake handle must do, whatever the mechanism.
#include "platform/poller.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <set>
#include <thread>
#include <vector>

#include "base/cpu.hpp"
#include "platform/poller_poll.hpp"
#include "platform/wake_pipe.hpp"
#include "support/gate.hpp"
#if defined(__linux__)
#include "platform/poller_epoll.hpp"
#include "platform/wake_eventfd.hpp"
#endif

namespace offloop {
namespace {

using namespace std::chrono_literals;

template <class P, class W>
struct Pair {
  using Poller = P;
  using Wake = W;
};
using Portable = Pair<PollPoller, PipeWake<PollPoller>>;
#if defined(__linux__)
using Native = Pair<EpollPoller, EventfdWake>;
using Mixed = Pair<EpollPoller, PipeWake<EpollPoller>>;
using Pairs = ::testing::Types<Native, Portable, Mixed>;
#else
using Pairs = ::testing::Types<Portable>;
#endif

struct PairName {
  template <class T>
  static std::string GetName(int) {
    if constexpr (std::is_same_v<T, Portable>) return "poll_and_pipe";
#if defined(__linux__)
    if constexpr (std::is_same_v<T, Native>) return "epoll_and_eventfd";
#endif
    return "epoll_and_pipe";
  }
};

/// Two connected sockets: readable and writable at both ends.
class Sockets {
 public:
  Sockets() { EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends_), 0); }
  ~Sockets() {
    close_end(0);
    close_end(1);
  }
  Sockets(const Sockets&) = delete;
  Descriptor operator[](int end) const { return ends_[end]; }
  void close_end(int end) {
    if (ends_[end] >= 0) close(ends_[end]);
    ends_[end] = -1;
  }
  void send(int end) { EXPECT_EQ(write(ends_[end], "x", 1), 1); }
  void receive(int end) {
    char byte;
    EXPECT_EQ(read(ends_[end], &byte, 1), 1);
  }
  void fill(int end) {
    const std::array<char, 4096> bytes{};
    while (write(ends_[end], bytes.data(), bytes.size()) > 0) {
    }
  }
  void drain(int end) {
    std::array<char, 4096> bytes;
    while (read(ends_[end], bytes.data(), bytes.size()) > 0) {
    }
  }

 private:
  Descriptor ends_[2];
};

std::set<Descriptor> open_descriptors() {
  std::set<Descriptor> open;
  for (Descriptor fd = 0; fd < 1024; ++fd) {
    if (fcntl(fd, F_GETFD) >= 0) open.insert(fd);
  }
  return open;
}

template <class Pair>
class PollerAndWake : public ::testing::Test {
 protected:
  using Poller = typename Pair::Poller;
  using Wake = typename Pair::Wake;

  struct Waiter {
    std::unique_ptr<Poller> poller;
    std::unique_ptr<Wake> wake;

    Waiter() {
      int error = 0;
      poller = Poller::open(error);
      wake = Wake::open(*poller, error);
      EXPECT_TRUE(wake) << error;
    }
    /// Waits for a ring and clears it. False: none came in time.
    bool rung() {
      Ready ready[4];
      if (poller->wait(ready, testing::kPatience) == 0) return false;
      wake->clear();
      return true;
    }
  };

  size_t wait(std::chrono::nanoseconds timeout) { return waiter_.poller->wait(ready_, timeout); }
  Poller& poller() { return *waiter_.poller; }
  Wake& wake() { return *waiter_.wake; }

  Waiter waiter_;
  std::array<Ready, 8> ready_{};
  int tag_ = 0;
  int other_tag_ = 0;
};
TYPED_TEST_SUITE(PollerAndWake, Pairs, PairName);

// --- the wake handle ---

TYPED_TEST(PollerAndWake, ends_a_wait_with_a_ring) {
  std::thread other([this] { this->wake().ring(); });
  ASSERT_EQ(this->wait(testing::kPatience), 1u);
  EXPECT_EQ(this->ready_[0].tag, nullptr);
  EXPECT_TRUE(this->ready_[0].readable);
  other.join();
}

TYPED_TEST(PollerAndWake, remembers_a_ring_that_came_before_the_wait) {
  this->wake().ring();
  EXPECT_EQ(this->wait(0ns), 1u);
}

TYPED_TEST(PollerAndWake, counts_many_rings_as_one_until_cleared) {
  for (int i = 0; i < 1'000; ++i) this->wake().ring();
  EXPECT_EQ(this->wait(0ns), 1u);
  EXPECT_EQ(this->wait(0ns), 1u);
  this->wake().clear();
  EXPECT_EQ(this->wait(0ns), 0u);
  this->wake().ring();
  EXPECT_EQ(this->wait(0ns), 1u);
}

TYPED_TEST(PollerAndWake, never_blocks_the_one_who_rings) {
  for (int i = 0; i < 200'000; ++i) this->wake().ring();  // more than a pipe holds
  this->wake().clear();
  EXPECT_EQ(this->wait(0ns), 0u);
}

TYPED_TEST(PollerAndWake, may_be_cleared_without_a_ring) {
  this->wake().clear();
  EXPECT_EQ(this->wait(0ns), 0u);
}

TYPED_TEST(PollerAndWake, loses_no_wake_up_between_two_threads) {
  constexpr int kRounds = 50'000;  // two wake-ups each
  typename TestFixture::Waiter ping, pong;
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

TYPED_TEST(PollerAndWake, shows_what_was_published_before_a_ring_from_any_of_many_threads) {
  constexpr uint64_t kThreads = 3;
  constexpr uint64_t kEach = 20'000;
  std::atomic<uint64_t> published{0};
  std::vector<std::thread> threads;
  for (uint64_t t = 0; t < kThreads; ++t) {
    threads.emplace_back([&] {
      for (uint64_t i = 0; i < kEach; ++i) {
        published.fetch_add(1, std::memory_order_release);
        this->wake().ring();
      }
    });
  }
  bool rung = true;
  while (rung && published.load(std::memory_order_acquire) < kThreads * kEach) rung = this->waiter_.rung();
  EXPECT_TRUE(rung);
  for (std::thread& thread : threads) thread.join();
}

// --- time ---

TYPED_TEST(PollerAndWake, returns_at_once_when_there_is_no_time) {
  EXPECT_EQ(this->wait(0ns), 0u);
  EXPECT_EQ(this->wait(-1s), 0u);
}

TYPED_TEST(PollerAndWake, waits_as_long_as_asked_and_not_less) {
  for (std::chrono::nanoseconds timeout : {1ns, 1'000'000ns, 2'000'001ns, 20'000'000ns}) {
    const int64_t began = steady_ns();
    EXPECT_EQ(this->wait(timeout), 0u);
    EXPECT_GE(steady_ns() - began, timeout.count());
  }
}

TYPED_TEST(PollerAndWake, waits_for_ever_and_for_nearly_ever) {
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

TYPED_TEST(PollerAndWake, ends_in_time_although_signals_interrupt_it_again_and_again) {
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

// --- descriptors ---

TYPED_TEST(PollerAndWake, tells_what_became_readable_by_its_tag) {
  Sockets sockets, others;
  ASSERT_EQ(this->poller().watch(sockets[0], Interest::readable, &this->tag_), 0);
  ASSERT_EQ(this->poller().watch(others[0], Interest::readable, &this->other_tag_), 0);
  EXPECT_EQ(this->wait(0ns), 0u);
  sockets.send(1);
  ASSERT_EQ(this->wait(testing::kPatience), 1u);
  EXPECT_EQ(this->ready_[0].tag, &this->tag_);
  EXPECT_TRUE(this->ready_[0].readable);
  EXPECT_FALSE(this->ready_[0].writable);
}

TYPED_TEST(PollerAndWake, reports_what_is_ready_until_it_is_dealt_with) {
  Sockets sockets;
  ASSERT_EQ(this->poller().watch(sockets[0], Interest::readable, &this->tag_), 0);
  sockets.send(1);
  EXPECT_EQ(this->wait(0ns), 1u);
  EXPECT_EQ(this->wait(0ns), 1u);
  sockets.receive(0);
  EXPECT_EQ(this->wait(0ns), 0u);
}

TYPED_TEST(PollerAndWake, tells_when_there_is_room_to_write) {
  Sockets sockets;
  ASSERT_EQ(this->poller().watch(sockets[0], Interest::writable, &this->tag_), 0);
  ASSERT_EQ(this->wait(0ns), 1u);
  EXPECT_TRUE(this->ready_[0].writable);
  EXPECT_FALSE(this->ready_[0].readable);
  sockets.fill(0);
  EXPECT_EQ(this->wait(0ns), 0u);
  sockets.drain(1);
  EXPECT_EQ(this->wait(0ns), 1u);
}

TYPED_TEST(PollerAndWake, tells_both_when_both_are_asked_for) {
  Sockets sockets;
  ASSERT_EQ(this->poller().watch(sockets[0], Interest::both, &this->tag_), 0);
  sockets.send(1);
  ASSERT_EQ(this->wait(0ns), 1u);
  EXPECT_TRUE(this->ready_[0].readable);
  EXPECT_TRUE(this->ready_[0].writable);
}

TYPED_TEST(PollerAndWake, wakes_whoever_waits_when_the_other_end_hangs_up) {
  for (Interest interest : {Interest::readable, Interest::writable}) {
    Sockets sockets;
    if (interest == Interest::writable) sockets.fill(0);
    ASSERT_EQ(this->poller().watch(sockets[0], interest, &this->tag_), 0);
    EXPECT_EQ(this->wait(0ns), 0u);
    sockets.close_end(1);
    ASSERT_EQ(this->wait(testing::kPatience), 1u);
    EXPECT_TRUE(interest == Interest::readable ? this->ready_[0].readable : this->ready_[0].writable);
    EXPECT_EQ(this->poller().unwatch(sockets[0]), 0);
  }
}

TYPED_TEST(PollerAndWake, forgets_what_it_no_longer_watches) {
  Sockets sockets;
  ASSERT_EQ(this->poller().watch(sockets[0], Interest::readable, &this->tag_), 0);
  sockets.send(1);
  ASSERT_EQ(this->poller().unwatch(sockets[0]), 0);
  EXPECT_EQ(this->wait(0ns), 0u);
  ASSERT_EQ(this->poller().watch(sockets[0], Interest::readable, &this->other_tag_), 0);
  ASSERT_EQ(this->wait(0ns), 1u);
  EXPECT_EQ(this->ready_[0].tag, &this->other_tag_);
}

TYPED_TEST(PollerAndWake, refuses_to_watch_twice_to_unwatch_what_it_does_not_watch_and_what_is_not_open) {
  Sockets sockets;
  EXPECT_EQ(this->poller().watch(sockets[0], Interest::readable, &this->tag_), 0);
  EXPECT_EQ(this->poller().watch(sockets[0], Interest::readable, &this->tag_), EEXIST);
  EXPECT_EQ(this->poller().unwatch(sockets[1]), ENOENT);
  EXPECT_EQ(this->poller().watch(-1, Interest::readable, &this->tag_), EBADF);
  EXPECT_EQ(this->poller().watch(1'000'000, Interest::readable, &this->tag_), EBADF);
}

TYPED_TEST(PollerAndWake, takes_something_new_to_watch_from_another_thread_at_the_latest_after_a_ring) {
  Sockets sockets;
  sockets.send(1);
  testing::Gate waits;
  std::thread other([&] {
    waits.wait();
    EXPECT_EQ(this->poller().watch(sockets[0], Interest::readable, &this->tag_), 0);
    this->wake().ring();
  });
  waits.open();
  bool seen = false;
  while (!seen) {
    const size_t count = this->wait(testing::kPatience);
    if (count == 0) break;
    for (size_t i = 0; i < count; ++i) seen |= this->ready_[i].tag == &this->tag_;
    this->wake().clear();
  }
  EXPECT_TRUE(seen);
  other.join();
}

TYPED_TEST(PollerAndWake, gives_no_more_than_there_is_room_for_and_the_rest_later) {
  Sockets first, second;
  ASSERT_EQ(this->poller().watch(first[0], Interest::readable, &first), 0);
  ASSERT_EQ(this->poller().watch(second[0], Interest::readable, &second), 0);
  first.send(1);
  second.send(1);
  for (int i = 0; i < 2; ++i) {
    Ready one[1];
    ASSERT_EQ(this->poller().wait(one, 0ns), 1u);
    static_cast<Sockets*>(one[0].tag)->receive(0);
  }
  EXPECT_EQ(this->wait(0ns), 0u);
}

TYPED_TEST(PollerAndWake, watches_hundreds) {
  std::vector<std::unique_ptr<Sockets>> many;
  for (int i = 0; i < 200; ++i) {
    many.push_back(std::make_unique<Sockets>());
    ASSERT_EQ(this->poller().watch((*many.back())[0], Interest::readable, many.back().get()), 0);
    many.back()->send(1);
  }
  size_t seen = 0;
  while (const size_t count = this->wait(0ns)) {
    for (size_t i = 0; i < count; ++i) static_cast<Sockets*>(this->ready_[i].tag)->receive(0);
    seen += count;
  }
  EXPECT_EQ(seen, 200u);
}

// --- resources ---

TYPED_TEST(PollerAndWake, leaves_no_descriptor_open) {
  const std::set<Descriptor> before = open_descriptors();
  {
    typename TestFixture::Waiter short_lived;
  }
  EXPECT_EQ(open_descriptors(), before);
}

TYPED_TEST(PollerAndWake, passes_no_descriptor_on_to_a_child) {
  const std::set<Descriptor> before = open_descriptors();
  typename TestFixture::Waiter waiter;
  for (Descriptor fd : open_descriptors()) {
    EXPECT_TRUE(before.contains(fd) || fcntl(fd, F_GETFD) & FD_CLOEXEC) << fd;
  }
}

TYPED_TEST(PollerAndWake, says_so_when_there_are_no_descriptors_left) {
  using Poller = typename TestFixture::Poller;
  using Wake = typename TestFixture::Wake;
  int error = 0;
  auto poller = Poller::open(error);
  const std::set<Descriptor> before = open_descriptors();
  rlimit allowed;
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &allowed), 0);
  const rlimit none{0, allowed.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &none), 0);
  auto wake = Wake::open(*poller, error);
  EXPECT_FALSE(wake);
  EXPECT_EQ(error, EMFILE);
  error = 0;
  auto another = Poller::open(error);
  EXPECT_EQ(error, another ? 0 : EMFILE);
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &allowed), 0);
  EXPECT_TRUE(Wake::open(*poller, error));
  another.reset();
  EXPECT_EQ(open_descriptors(), before);
}

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
