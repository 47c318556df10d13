#include "core/reactor.hpp"

#include <array>
#include <cerrno>
#include <chrono>

#include "base/cpu.hpp"
#include "platform/park.hpp"
#include "platform/thread.hpp"

namespace offloop {
namespace {

constexpr size_t kStackBytes = 256 * 1024;
constexpr size_t kMostReady = 64;

/// What this thread is in the middle of: a timer that disarms itself must not wait for itself.
thread_local const Timer* expiring_here = nullptr;

}  // namespace

Reactor& Reactor::shared() noexcept {
  static Reactor* const it = new Reactor;
  return *it;
}

int Reactor::arm_unless(Timer& timer, int64_t due_ns, Expire* expire, const std::atomic<bool>* stop) noexcept {
  {
    std::lock_guard lock(mutex_);
    // relaxed: whoever sets the flag takes this lock after it, so either it is seen here or the timer is found below
    if (stop && stop->load(std::memory_order_relaxed)) return ECANCELED;
    if (int error = start()) return error;
    if (timer.heap_index != DeadlineHeap<Timer>::kOutside) {
      if (timer.due_ns <= due_ns) return 0;
      armed_.remove(&timer);
    }
    timer.due_ns = due_ns;
    timer.expire = expire;
    try {
      armed_.add(&timer);
    } catch (const std::bad_alloc&) {
      return ENOMEM;
    }
    if (due_ns >= wakes_ns_) return 0;
  }
  wake_->ring();
  return 0;
}

bool Reactor::disarm(Timer& timer) noexcept {
  bool was_armed = false;
  for (;;) {
    {
      std::lock_guard lock(mutex_);
      was_armed |= armed_.remove(&timer);  // though it may be expiring as well: somebody has armed it again
      // acquire: set with the lock held, but reset without it, and then what it did has happened
      if (expiring_.load(std::memory_order_acquire) != &timer || expiring_here == &timer) return was_armed;
    }
    wait_while(expiring_, &timer);  // and then look again: it may have armed itself
  }
}

bool Reactor::disarm_if(Timer& timer, Expire* expire) noexcept {
  std::lock_guard lock(mutex_);
  return timer.expire == expire && armed_.remove(&timer);
}

int Reactor::watch(Watcher& watcher, Descriptor fd, Interest interest, Trigger trigger, Watcher::Tell* tell) noexcept {
  {
    std::lock_guard lock(mutex_);
    if (int error = start()) return error;
  }
  return watchers_->add(watcher, fd, interest, trigger, tell);
}

int Reactor::start() noexcept {
  if (poller_) return 0;
  int error = 0;
  try {
    auto poller = Poller::open(error);
    if (!poller) return error;
    auto wake = WakeHandle::open(*poller, error);
    if (!wake) return error;
    watchers_ = std::make_unique<Watchers>(*poller);
    poller_ = std::move(poller);
    wake_ = std::move(wake);
  } catch (const std::bad_alloc&) {
    return ENOMEM;
  }
  error = start_thread(
      "offloop/reactor", kStackBytes, [](void* self) noexcept { static_cast<Reactor*>(self)->live(); }, this);
  if (error) {
    watchers_.reset();
    wake_.reset();
    poller_.reset();
  }
  return error;
}

void Reactor::live() noexcept {
  std::array<Ready, kMostReady> ready;
  for (;;) {
    const size_t count = poller_->wait(ready, expire_due());
    wake_ups_.fetch_add(1, std::memory_order_relaxed);
    wake_->clear();  // first, and then a look at what the ring was for
    const bool are_awaited = watchers_->tell({ready.data(), count});
    // Whoever is behind takes what comes meanwhile in one batch, and so does this thread.
    if (!are_awaited && count < kMostReady) rest();
  }
}

std::chrono::nanoseconds Reactor::expire_due() noexcept {
  for (;;) {
    Timer* due = nullptr;
    Expire* expire = nullptr;
    {
      std::lock_guard lock(mutex_);
      wakes_ns_ = armed_.empty() ? Timer::kNever : armed_.top()->due_ns;
      if (wakes_ns_ == Timer::kNever) return Poller::kForever;
      const int64_t left = wakes_ns_ - steady_ns();
      if (left > 0) return std::chrono::nanoseconds(left);
      due = armed_.pop();
      expire = due->expire;                             // with the lock held: somebody may be arming it again
      expiring_.store(due, std::memory_order_relaxed);  // read with the lock held
    }
    expiring_here = due;
    expire(*due);
    expiring_here = nullptr;
    expiring_.store(nullptr, std::memory_order_release);
    wake_all(expiring_);
  }
}

}  // namespace offloop
