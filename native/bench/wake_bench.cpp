// What wake handles and pollers cost, beside what the system itself costs. Linux only, for the sake of the comparison.
//   offloop_wake_bench     exit code 1 if a ring is lost
#include <fcntl.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "measure.hpp"
#include "platform/select.hpp"

namespace offloop::bench {
namespace {

/// A thread's own bell: a wake handle with a poller that watches nothing else.
class Wake {
 public:
  Wake() {
    int error = 0;
    poller_ = Poller::open(error);
    wake_ = WakeHandle::open(*poller_, error);
  }
  void ring() { wake_->ring(); }
  /// False: nobody rang in time.
  bool wait(std::chrono::nanoseconds timeout = Poller::kForever) {
    Ready ready[64];
    const size_t told = poller_->wait(ready, timeout);
    wake_->clear();
    return told > 0;
  }
  Poller& poller() { return *poller_; }

 private:
  std::unique_ptr<Poller> poller_;
  std::unique_ptr<WakeHandle> wake_;
};

/// The least that Linux needs for the same.
class Bare {
 public:
  ~Bare() { close(fd_); }
  void ring() { eventfd_write(fd_, 1); }
  void wait() {
    eventfd_t rings;
    eventfd_read(fd_, &rings);
  }

 private:
  const int fd_ = eventfd(0, EFD_CLOEXEC);
};

/// Two threads that ring for each other.
template <class Bell>
class PingPong {
 public:
  PingPong()
      : other_([this] {
          while (!stop_) {
            there_.wait();
            here_.ring();
          }
        }) {}
  ~PingPong() {
    stop_ = true;
    there_.ring();
    other_.join();
  }
  /// Units: microseconds for once there and back.
  double sample() {
    constexpr int kRounds = 100;
    return ns_each(kRounds,
                   [this] {
                     for (int i = 0; i < kRounds; ++i) {
                       there_.ring();
                       here_.wait();
                     }
                   }) /
           1'000;
  }

 private:
  std::atomic<bool> stop_{false};
  Bell here_, there_;
  std::thread other_;
};

void bench_ping_pong() {
  constexpr int kSamples = 500;
  PingPong<Wake> wake;
  PingPong<Bare> bare;
  std::vector<double> wakes, bares, ratios;
  wake.sample();
  bare.sample();
  for (int i = 0; i < kSamples; ++i) {
    wakes.push_back(wake.sample());
    bares.push_back(bare.sample());
    ratios.push_back(wakes.back() / bares.back());
  }
  print("wake handles: there and back", "us", std::move(wakes));
  print("bare eventfds: there and back", "us", std::move(bares));
  print("the one to the other", "times", std::move(ratios));
}

/// Returns false if the waiting thread was not woken for some of what was published.
bool bench_many_rings() {
  constexpr int kThreads = 4;
  constexpr int64_t kEach = 2'500'000;
  Wake wake;
  std::atomic<int64_t> published{0};
  const int64_t began = steady_ns();
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&] {
      for (int64_t i = 0; i < kEach; ++i) {
        published.fetch_add(1, std::memory_order_relaxed);  // the ring publishes it
        wake.ring();
      }
    });
  }
  constexpr int64_t kAll = kThreads * kEach;
  constexpr std::chrono::seconds kPatience{10};
  int64_t seen = 0, waits = 0;
  while (seen < kAll && wake.wait(kPatience)) {
    ++waits;
    seen = published.load(std::memory_order_relaxed);
  }
  const double each = static_cast<double>(steady_ns() - began) / static_cast<double>(kAll);
  for (std::thread& thread : threads) thread.join();
  std::printf("%-44s %10.3f %10s  ns each; %lld seen of %lld, in %lld waits\n", "10,000,000 rings of 4 threads", each,
              "", static_cast<long long>(seen), static_cast<long long>(kAll), static_cast<long long>(waits));
  return seen == kAll;
}

void bench_idle_descriptors() {
  constexpr rlim_t kMany = 10'000;
  rlimit allowed;
  getrlimit(RLIMIT_NOFILE, &allowed);
  allowed.rlim_cur = std::min(allowed.rlim_max, kMany + 100);
  setrlimit(RLIMIT_NOFILE, &allowed);

  Wake wake;
  const auto ring_and_wait = [&] {
    return ns_each(100, [&] {
      for (int i = 0; i < 100; ++i) {
        wake.ring();
        wake.wait();
      }
    });
  };
  report("ring and wait, one thread", "ns", ring_and_wait, 2'000);
  int silent[2];
  socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, silent);
  std::vector<int> watched;
  while (watched.size() < kMany) {
    const int fd = fcntl(silent[0], F_DUPFD_CLOEXEC, 0);
    if (fd < 0) break;  // more are not allowed
    wake.poller().watch(fd, Interest::readable, &watched);
    watched.push_back(fd);
  }
  const std::string name = "ring and wait, " + std::to_string(watched.size()) + " idle sockets watched";
  report(name.c_str(), "ns", ring_and_wait, 2'000);
  for (int fd : watched) {
    wake.poller().unwatch(fd);
    close(fd);
  }
  for (int fd : silent) close(fd);
}

}  // namespace
}  // namespace offloop::bench

int main() {
  using namespace offloop::bench;
  print_head();
  bench_ping_pong();
  const bool all_seen = bench_many_rings();
  bench_idle_descriptors();
  return all_seen ? 0 : 1;
}
