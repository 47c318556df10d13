// Every pair of poller and wake handle that this system runs, and things for them to watch.
#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <set>
#include <string>
#include <string_view>

#include "platform/poller_poll.hpp"
#include "platform/wake_pipe.hpp"
#include "support/gate.hpp"
#if defined(__linux__)
#include "platform/poller_epoll.hpp"
#include "platform/wake_eventfd.hpp"
#elif defined(__APPLE__) || defined(__FreeBSD__) || defined(__DragonFly__)
#include "platform/poller_kqueue.hpp"
#include "platform/wake_kqueue.hpp"
#endif

namespace offloop::testing {

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
#elif defined(__APPLE__) || defined(__FreeBSD__) || defined(__DragonFly__)
using Native = Pair<KqueuePoller, KqueueWake>;
using Mixed = Pair<KqueuePoller, PipeWake<KqueuePoller>>;
using Pairs = ::testing::Types<Native, Portable, Mixed>;
#else
using Pairs = ::testing::Types<Portable>;
#endif

struct PairName {
  template <class T>
  static std::string GetName(int) {
    using Pipe = PipeWake<typename T::Poller>;
    return std::string(T::Poller::kName) + (std::is_same_v<typename T::Wake, Pipe> ? "_and_pipe" : "");
  }
};

/// A poller with its wake handle.
template <class Pair>
struct Waiter {
  std::unique_ptr<typename Pair::Poller> poller;
  std::unique_ptr<typename Pair::Wake> wake;

  Waiter() {
    int error = 0;
    poller = Pair::Poller::open(error);
    wake = Pair::Wake::open(*poller, error);
    EXPECT_TRUE(wake) << error;
  }
  /// Waits for a ring and clears it. False: none came in time.
  bool rung() {
    Ready ready[4];
    if (poller->wait(ready, kPatience) == 0) return false;
    wake->clear();
    return true;
  }
};

template <class Pair>
class PollerFixture : public ::testing::Test {
 protected:
  using Poller = typename Pair::Poller;
  using Wake = typename Pair::Wake;

  size_t wait(std::chrono::nanoseconds timeout) { return waiter_.poller->wait(ready_, timeout); }
  Poller& poller() { return *waiter_.poller; }
  Wake& wake() { return *waiter_.wake; }
  static bool knows_edges() { return std::string_view(Poller::kName) != "poll"; }

  Waiter<Pair> waiter_;
  std::array<Ready, 64> ready_{};
  int tag_ = 0;
  int other_tag_ = 0;
};

/// Two connected descriptors, neither of which blocks.
class Ends {
 public:
  Ends(const Ends&) = delete;
  ~Ends() {
    close_end(0);
    close_end(1);
  }
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
    while (write(ends_[end], bytes.data(), 1) > 0) {
    }
  }
  void drain(int end) {
    std::array<char, 4096> bytes;
    while (read(ends_[end], bytes.data(), bytes.size()) > 0) {
    }
  }

 protected:
  Ends() = default;
  void never_block() {
    for (Descriptor end : ends_) EXPECT_EQ(fcntl(end, F_SETFL, fcntl(end, F_GETFL) | O_NONBLOCK), 0);
  }

  Descriptor ends_[2] = {-1, -1};
};

/// Readable and writable at both ends.
struct Sockets : Ends {
  Sockets() {
    EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, ends_), 0);
    never_block();
  }
};

/// From end 1 to end 0.
struct OneWay : Ends {
  OneWay() {
    EXPECT_EQ(pipe(ends_), 0);
    never_block();
  }
};

inline std::set<Descriptor> open_descriptors() {
  std::set<Descriptor> open;
  for (Descriptor fd = 0; fd < 1024; ++fd) {
    if (fcntl(fd, F_GETFD) >= 0) open.insert(fd);
  }
  return open;
}

/// Lets the process open so many.
inline void allow_descriptors(rlim_t count) {
  rlimit allowed;
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &allowed), 0);
  if (allowed.rlim_cur >= count) return;
  allowed.rlim_cur = count;
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &allowed), 0) << "of " << allowed.rlim_max;
}

}  // namespace offloop::testing
