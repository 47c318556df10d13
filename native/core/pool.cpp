#include "core/pool.hpp"

#include <algorithm>

#include "base/patient_lock.hpp"
#include "core/mailbox.hpp"
#include "core/reactor.hpp"
#include "platform/thread.hpp"

namespace offloop {
namespace {

/// Waking a thread costs about this much; work that is done sooner is not worth another one.
constexpr int64_t kWakeNs = 20'000;
/// A hand of brief tasks should not take longer than this.
constexpr int64_t kHandNs = 10'000;

}  // namespace

Pool::Accepted Pool::submit(std::span<Task* const> tasks) noexcept {
  Accepted accepted{0, OFFLOOP_QUEUE_FULL};
  Help help;
  {
    PatientLock lock(mutex_);
    if (closed_) return {0, OFFLOOP_CLOSED};
    const size_t held = lanes_.size() + in_hands();
    const size_t limit = size_t{options_.capacity} + options_.threads;
    const size_t room = limit > held ? limit - held : 0;
    try {
      for (; accepted.count < std::min(room, tasks.size()); ++accepted.count) lanes_.push(tasks[accepted.count]);
    } catch (const std::bad_alloc&) {
      accepted.reason = OFFLOOP_NO_MEMORY;
    }
    waiting_.store(lanes_.size(), std::memory_order_relaxed);  // a hint; whoever follows it takes the lock
    if (accepted.count > 0) help = call_help();
  }
  if (int error = summon(help)) give_up(error);
  return accepted;
}

void Pool::cancel(Task& task) noexcept {
  bool taken_out = false;
  {
    PatientLock lock(mutex_);
    if (task.lane != Task::kNoLane) {
      lanes_.remove(&task);
      waiting_.store(lanes_.size(), std::memory_order_relaxed);
      taken_out = true;
    } else {
      task.stop.store(true,
                      std::memory_order_relaxed);  // carries no data; the reactor's lock orders it for the reactor
    }
  }
  if (taken_out) {
    task.refuse(OFFLOOP_CANCELLED);
    task.home->post(&task);
  } else {
    Reactor::shared().cancel(task);
  }
}

void Pool::cancel_waiting() noexcept {
  Task* chain = nullptr;
  {
    PatientLock lock(mutex_);
    while (lanes_.size() > 0) {
      Task* task = lanes_.pop();
      task->refuse(OFFLOOP_CANCELLED);
      task->next = chain;
      chain = task;
    }
    waiting_.store(0, std::memory_order_relaxed);
  }
  while (chain) {
    Task* next = chain->next;
    chain->home->post(chain);
    chain = next;
  }
}

void Pool::close(Task* farewell) noexcept {
  std::vector<Worker*> parked;
  bool nobody = false;
  {
    PatientLock lock(mutex_);
    closed_ = true;
    farewell_ = farewell;
    parked.swap(parked_);
    nobody = alive_ == 0;
  }
  for (Worker* worker : parked) worker->unpark();
  if (nobody && farewell) farewell->home->post(farewell);
}

Pool::Counts Pool::counts() noexcept {
  PatientLock lock(mutex_);
  return {lanes_.size(), in_hands(), alive_, static_cast<uint32_t>(parked_.size())};
}

bool Pool::take(Worker& worker) noexcept {
  Help help;
  {
    PatientLock lock(mutex_);
    running_ -= worker.held_;
    finished_.fetch_sub(worker.held_, std::memory_order_relaxed);  // see in_hands
    if (worker.worked_ns_ > 0) {
      brief_ns_ += (worker.worked_ns_ / worker.held_ - brief_ns_) / 4;
    } else if (brief_ns_ > kHandNs / 2) {
      brief_ns_ -= brief_ns_ / 8;  // it allows hands of one only, which nobody measures: doubt it until it allows two
    }
    worker.held_ = 0;
    while (lanes_.size() == 0) {
      if (closed_) return false;
      if (searching_ == 0 && options_.linger_ns > 0) {
        ++searching_;
        lock.unlock();
        // relaxed: only a hint, the lock decides
        worker.linger_.wait(options_.linger_ns, [&] { return waiting_.load(std::memory_order_relaxed) > 0; });
        lock.lock();
        --searching_;
        if (lanes_.size() > 0 || closed_) continue;
      }
      parked_.push_back(&worker);  // has room for every worker: see start_worker
      lock.unlock();
      worker.park();
      lock.lock();
    }
    // Long tasks one at a time; brief ones by the handful.
    const int64_t affordable = std::clamp<int64_t>(kHandNs / std::max<int64_t>(brief_ns_, 1), 1, Worker::kHand);
    do {
      worker.hand_[worker.held_++] = lanes_.pop();
    } while (worker.hand_[0]->brief && worker.held_ < affordable && lanes_.size() > 0 && lanes_.front()->brief);
    running_ += worker.held_;
    waiting_.store(lanes_.size(), std::memory_order_relaxed);
    // Whatever is left behind a long task deserves another thread.
    if (lanes_.size() > 0 && (!worker.hand_[0]->brief || worth_another_thread())) help = call_help();
  }
  summon(help);  // if it fails, this thread does the rest
  return true;
}

void Pool::leave() noexcept {
  Task* farewell = nullptr;
  {
    PatientLock lock(mutex_);
    if (--alive_ == 0) farewell = std::exchange(farewell_, nullptr);
  }
  if (farewell) farewell->home->post(farewell);
}

bool Pool::worth_another_thread() const noexcept {
  return lanes_.long_ones() > 0 || static_cast<int64_t>(lanes_.size()) * brief_ns_ > kWakeNs;
}

Pool::Help Pool::call_help() noexcept {
  if (searching_ > 0) return {};  // it will see the work, and call for help itself if there is more
  // Threads that were woken or started, or have ended their tasks, and are about to look here. At least so many: a hand may
  // hold several tasks.
  const int64_t coming = int64_t{alive_} - static_cast<int64_t>(parked_.size()) - in_hands();
  const bool enough = static_cast<int64_t>(lanes_.size()) <= coming || !worth_another_thread();
  if (coming > 0 && enough) return {};
  if (!parked_.empty()) {
    Worker* worker = parked_.back();
    parked_.pop_back();
    return {worker, false};
  }
  if (alive_ < options_.threads && !closed_) {
    ++alive_;
    return {nullptr, true};
  }
  return {};
}

int Pool::summon(Help help) noexcept {
  if (help.parked) help.parked->unpark();
  return help.start ? start_worker() : 0;
}

int Pool::start_worker() noexcept {
  struct Life {
    std::shared_ptr<Pool> pool;
    Worker* worker;
  };
  Worker* worker = nullptr;
  int error = ENOMEM;
  try {
    auto life = std::make_unique<Life>();
    life->pool = shared_from_this();
    std::string name;
    {
      PatientLock lock(mutex_);
      workers_.push_back(std::make_unique<Worker>());
      parked_.reserve(workers_.size());
      life->worker = worker = workers_.back().get();
      name = "/" + std::to_string(workers_.size() - 1);
    }
    name.insert(0, options_.name, 0, kThreadName - name.size());
    error = start_thread(
        name, options_.stack_bytes,
        [](void* raw) noexcept {
          std::unique_ptr<Life> life(static_cast<Life*>(raw));
          life->worker->live(std::move(life->pool));
        },
        life.get());
    if (!error) life.release();
  } catch (const std::bad_alloc&) {
  }
  if (error) {
    Worker* instead = nullptr;
    {
      PatientLock lock(mutex_);
      std::erase_if(workers_, [worker](const auto& each) { return each.get() == worker; });
      if (lanes_.size() > 0 && !parked_.empty()) {  // somebody may have counted on this one
        instead = parked_.back();
        parked_.pop_back();
      }
    }
    if (instead) instead->unpark();
    leave();
  }
  return error;
}

void Pool::give_up(int error) noexcept {
  Task* chain = nullptr;
  {
    PatientLock lock(mutex_);
    if (alive_ > 0) return;  // those that run will do the work
    while (lanes_.size() > 0) {
      Task* task = lanes_.pop();
      task->next = chain;
      chain = task;
    }
    waiting_.store(0, std::memory_order_relaxed);
  }
  while (chain) {
    Task* next = chain->next;
    chain->refuse(OFFLOOP_SYSTEM);
    try {
      chain->fail(Failure::Source::system, -error, "", "pthread_create", "");
    } catch (const std::bad_alloc&) {
      // the status alone will do
    }
    chain->home->post(chain);
    chain = next;
  }
}

}  // namespace offloop
