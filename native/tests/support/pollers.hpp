// Every pair of poller and wake handle that this system runs, and things for them to watch.
#pragma once

#include <gtest/gtest.h>

#include <array>
#include <string>
#include <string_view>

#include "support/gate.hpp"
#if defined(_WIN32)
#include "platform/poller_iocp.hpp"
#include "platform/wake_iocp.hpp"
#include "support/ends_windows.hpp"
#else
#include "platform/poller_poll.hpp"
#include "platform/wake_pipe.hpp"
#include "support/ends_posix.hpp"
#endif
#if defined(__linux__)
#include "platform/poller_epoll.hpp"
#include "platform/wake_eventfd.hpp"
#elif defined(__APPLE__) || defined(__FreeBSD__)
#include "platform/poller_kqueue.hpp"
#include "platform/wake_kqueue.hpp"
#endif

namespace offloop::testing {

template <class P, class W>
struct Pair {
  using Poller = P;
  using Wake = W;
};
#if defined(_WIN32)
using Pairs = ::testing::Types<Pair<IocpPoller, IocpWake>>;
#else
using Portable = Pair<PollPoller, PipeWake<PollPoller>>;
#endif
#if defined(__linux__)
using Native = Pair<EpollPoller, EventfdWake>;
using Mixed = Pair<EpollPoller, PipeWake<EpollPoller>>;
using Pairs = ::testing::Types<Native, Portable, Mixed>;
#elif defined(__APPLE__) || defined(__FreeBSD__)
using Native = Pair<KqueuePoller, KqueueWake>;
using Mixed = Pair<KqueuePoller, PipeWake<KqueuePoller>>;
using Pairs = ::testing::Types<Native, Portable, Mixed>;
#elif !defined(_WIN32)
using Pairs = ::testing::Types<Portable>;
#endif

struct PairName {
  template <class T>
  static std::string GetName(int) {
#if defined(_WIN32)
    return T::Poller::kName;
#else
    using Pipe = PipeWake<typename T::Poller>;
    return std::string(T::Poller::kName) + (std::is_same_v<typename T::Wake, Pipe> ? "_and_pipe" : "");
#endif
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
  static bool is(std::string_view mechanism) { return Poller::kName == mechanism; }
  static bool knows_edges() { return !is("poll") && !is("iocp"); }

  Waiter<Pair> waiter_;
  std::array<Ready, 64> ready_{};
  int tag_ = 0;
  int other_tag_ = 0;
};

}  // namespace offloop::testing
