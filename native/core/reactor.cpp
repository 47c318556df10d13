#include "core/reactor.hpp"

#include <array>
#include <chrono>

#include "core/mailbox.hpp"
#include "platform/thread.hpp"

namespace offloop {
namespace {

constexpr size_t kStackBytes = 256 * 1024;

void settle(Task& task, Status status) noexcept {
  task.refuse(status);
  task.home->post(&task);
}

void fail(Task& task, const char* syscall, int error) noexcept {
  try {
    task.fail(Failure::Source::system, -error, "", syscall, "");
  } catch (const std::bad_alloc&) {
    // the status alone will do
  }
  settle(task, OFFLOOP_SYSTEM);
}

}  // namespace

Reactor& Reactor::shared() noexcept {
  static Reactor* const it = new Reactor;
  return *it;
}

void Reactor::add(Task& task) noexcept {
  if (task.due_ns <= steady_ns()) return settle(task, OFFLOOP_OK);
  bool ring = false;
  int error = 0;
  {
    std::lock_guard lock(mutex_);
    // relaxed: a cancel sets the flag before it takes this lock, so either we see it here or it finds the task below
    if (!task.stop.load(std::memory_order_relaxed)) {
      if (!poller_) error = start();
      if (!error) {
        try {
          waiting_.add(&task);
          ring = waiting_.top() == &task;
        } catch (const std::bad_alloc&) {
          error = ENOMEM;
        }
      }
      if (!error) {
        if (ring) wake_->ring();
        return;
      }
    }
  }
  if (error) return fail(task, "epoll_create1", error);
  settle(task, OFFLOOP_CANCELLED);
}

void Reactor::cancel(Task& task) noexcept {
  {
    std::lock_guard lock(mutex_);
    if (!waiting_.remove(&task)) return;
  }
  settle(task, OFFLOOP_CANCELLED);
}

int Reactor::start() noexcept {
  int error = 0;
  try {
    auto poller = Poller::open(error);
    if (!poller) return error;
    auto wake = WakeHandle::open(*poller, error);
    if (!wake) return error;
    poller_ = std::move(poller);
    wake_ = std::move(wake);
  } catch (const std::bad_alloc&) {
    return ENOMEM;
  }
  error = start_thread(
      "offloop/reactor", kStackBytes, [](void* self) noexcept { static_cast<Reactor*>(self)->live(); }, this);
  if (error) {
    wake_.reset();
    poller_.reset();
  }
  return error;
}

void Reactor::live() noexcept {
  std::array<Ready, 8> ready;
  for (;;) {
    poller_->wait(ready, settle_due());
    wake_->clear();
  }
}

std::chrono::nanoseconds Reactor::settle_due() noexcept {
  for (;;) {
    Task* due = nullptr;
    {
      std::lock_guard lock(mutex_);
      if (waiting_.empty()) return Poller::kForever;
      const int64_t left = waiting_.top()->due_ns - steady_ns();
      if (left > 0) return std::chrono::nanoseconds(left);
      due = waiting_.pop();
    }
    settle(*due, OFFLOOP_OK);
  }
}

}  // namespace offloop
