#include "core/pool.hpp"

#include <algorithm>

#include "base/patient_lock.hpp"
#include "core/limits.hpp"
#include "core/mailbox.hpp"
#include "core/reactor.hpp"

namespace offloop {
namespace {

/// A hand of brief tasks should not take longer than this.
constexpr int64_t kHandNs = 10'000;

}  // namespace

Pool::Pool(Options options) : options_(std::move(options)), lanes_(options_.aging_ns), threads_(options_.threads) {}

Pool::~Pool() { Reactor::shared().disarm(lateness_); }

Pool::Accepted Pool::submit(std::span<Task* const> tasks) noexcept {
  Accepted accepted{0, options_.overflow == Overflow::reject ? OFFLOOP_QUEUE_FULL : OFFLOOP_DROPPED};
  Task* dropped = nullptr;
  int64_t look_ns = Timer::kNever;
  Help help;
  {
    PatientLock lock(mutex_);
    if (closed_) return {0, OFFLOOP_CLOSED};
    size_t left = room();
    try {
      for (; accepted.count < tasks.size(); ++accepted.count) {
        Task* task = tasks[accepted.count];
        if (left > 0) {
          --left;
        } else if (options_.overflow == Overflow::drop_oldest) {
          if (!drop_for(task, dropped)) continue;  // those after it may be more urgent
        } else if (options_.overflow != Overflow::wait) {
          break;
        }
        lanes_.push(task);
      }
    } catch (const std::bad_alloc&) {
      accepted.reason = OFFLOOP_NO_MEMORY;
    }
    waiting_.store(lanes_.size(), std::memory_order_relaxed);  // a hint; whoever follows it takes the lock
    if (accepted.count > 0) {
      help = call_help();
      look_ns = next_look();
    }
  }
  if (look_ns != Timer::kNever) look_at(look_ns);
  if (int error = summon(help)) give_up(error);
  post_all(dropped, OFFLOOP_DROPPED);
  return accepted;
}

size_t Pool::room() const noexcept {
  const size_t held = lanes_.size() + in_hands();
  const size_t limit = size_t{options_.capacity} + threads_;
  return limit > held ? limit - held : 0;
}

bool Pool::drop_for(Task* task, Task*& chain) noexcept {
  Task* least = lanes_.pop_least(task->lane, task->urgent);
  const bool has_place = least;
  if (!has_place) {
    least = task;
    task->lane = Task::kNoLane;
  }
  least->next = chain;
  chain = least;
  return has_place;
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
    send_home(task, OFFLOOP_CANCELLED);
  } else {
    limits::wake(task);
  }
}

void Pool::cancel_waiting() noexcept {
  Task* chain = nullptr;
  {
    PatientLock lock(mutex_);
    chain = take_all();
  }
  post_all(chain, OFFLOOP_CANCELLED);
}

Task* Pool::take_all() noexcept {
  Task* chain = nullptr;
  while (lanes_.size() > 0) {
    Task* task = lanes_.pop(0);
    task->next = chain;
    chain = task;
  }
  waiting_.store(0, std::memory_order_relaxed);
  return chain;
}

void Pool::post_all(Task* chain, Status status) noexcept {
  while (chain) {
    auto* next = static_cast<Task*>(chain->next);
    send_home(*chain, status);
    chain = next;
  }
}

void Pool::send_home(Task& task, Status status) noexcept {
  if (task.controlled) task.extras()->queued_ns += steady_ns() - task.accepted_ns;
  task.refuse(status);
  task.home->post(&task);
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

Executor::Counts Pool::counts() noexcept {
  PatientLock lock(mutex_);
  Counts counts;
  const size_t limit = size_t{options_.capacity} + threads_;
  const size_t within = limit > in_hands() ? limit - in_hands() : 0;
  counts.queued = std::min(lanes_.size(), within);
  counts.waiting = lanes_.size() - counts.queued;
  counts.running = in_hands();
  counts.threads = threads_;
  counts.started = alive_;
  counts.parked = static_cast<uint32_t>(parked_.size());
  for (uint32_t lane = 0; lane < Lanes::kLanes; ++lane) counts.depth[lane] = lanes_.depth(lane);
  return counts;
}

void Pool::add_times(Times::Total& total) noexcept {
  for (size_t i = 0;; ++i) {
    const Worker* worker = nullptr;
    {
      PatientLock lock(mutex_);
      if (i == workers_.size()) return;
      worker = workers_[i].get();  // stays as long as the pool
    }
    total.add(worker->times_);  // microseconds, which nobody should have to wait for
  }
}

bool Pool::take(Worker& worker) noexcept {
  Help help;
  Task* late = nullptr;
  bool again = false;
  do {
    again = false;
    int64_t now = steady_ns();  // here and below: before the lock, which others wait for
    {
      PatientLock lock(mutex_);
      running_ -= worker.held_;
      finished_.fetch_sub(worker.held_, std::memory_order_relaxed);  // see in_hands
      if (worker.brief_ns_ > 0) brief_ns_ += (std::exchange(worker.brief_ns_, 0) - brief_ns_) / 4;
      worker.held_ = 0;
      for (;;) {
        if (alive_ > threads_ || (closed_ && lanes_.size() == 0)) {
          worker.alive_ = false;
          --alive_;
          return false;
        }
        if (lanes_.size() > 0) break;
        if (searching_ == 0 && options_.linger_ns > 0) {
          ++searching_;
          lock.unlock();
          // relaxed: only a hint, the lock decides
          worker.linger_.wait(options_.linger_ns, [&] { return waiting_.load(std::memory_order_relaxed) > 0; });
          now = steady_ns();
          lock.lock();
          --searching_;
          if (lanes_.size() > 0 || closed_ || alive_ > threads_) continue;
        }
        parked_.push_back(&worker);  // has room for every worker: see start_worker
        lock.unlock();
        worker.park();
        now = steady_ns();
        lock.lock();
      }
      worker.took_ns_ = now;
      take_late(worker.took_ns_, late);
      if (lanes_.size() > 0) {
        fill_hand(worker);
        // Whatever is left behind a long task deserves another thread.
        if (lanes_.size() > 0 && (!worker.hand_[0]->brief || worth_another_thread())) help = call_help();
      } else {
        again = true;  // nothing was left in time
      }
      waiting_.store(lanes_.size(), std::memory_order_relaxed);
    }
    post_all(std::exchange(late, nullptr), OFFLOOP_DEADLINE);
  } while (again);
  if (help.parked || help.start) {
    (void)summon(help);             // if it fails, this thread does the rest
    worker.took_ns_ = steady_ns();  // what that took is not the tasks' time
  }
  return true;
}

/// Long tasks one at a time; brief ones by the handful.
void Pool::fill_hand(Worker& worker) noexcept {
  const int64_t affordable = std::clamp<int64_t>(kHandNs / std::max<int64_t>(brief_ns_, 1), 1, Worker::kHand);
  Task* task = lanes_.pop(worker.took_ns_);
  const bool brief = task->brief;
  do {
    worker.hand_[worker.held_++] = task;
  } while (brief && worker.held_ < affordable && lanes_.size() > 0 && (task = lanes_.pop_brief(worker.took_ns_)));
  running_ += worker.held_;
}

void Pool::requeue(Task& task) noexcept {
  task.accepted_ns = steady_ns();
  task.urgent = false;  // it was begun in time
  Help help;
  Status refused = OFFLOOP_OK;
  {
    PatientLock lock(mutex_);
    // relaxed: whoever cancels sets the flag with the lock held, and the limits have let go of the task
    if (task.stop.load(std::memory_order_relaxed)) {
      refused = OFFLOOP_CANCELLED;
    } else {
      task.lane = task.first_lane;
      try {
        lanes_.push(&task);
        help = call_help();
      } catch (const std::bad_alloc&) {
        task.lane = Task::kNoLane;
        refused = OFFLOOP_NO_MEMORY;
      }
      waiting_.store(lanes_.size(), std::memory_order_relaxed);
    }
  }
  if (refused) {
    task.refuse(refused);
    return task.home->post(&task);
  }
  (void)summon(help);  // if it fails, this thread is here
}

void Pool::take_late(int64_t now_ns, Task*& chain) noexcept {
  while (Task* task = lanes_.pop_late(now_ns)) {
    task->next = chain;
    chain = task;
  }
}

int64_t Pool::next_look() noexcept {
  const int64_t earliest = lanes_.earliest_deadline();
  if (earliest >= lateness_.armed_ns) return Timer::kNever;
  return lateness_.armed_ns = earliest;
}

void Pool::look_at(int64_t due_ns) noexcept {
  const int error = Reactor::shared().arm(
      lateness_, due_ns, [](Timer& timer) noexcept { static_cast<Lateness&>(timer).pool.expire_late(); });
  if (error == 0) return;
  // The reactor cannot run: whoever is late is told when a thread comes to it. The next deadline tries again.
  PatientLock lock(mutex_);
  lateness_.armed_ns = Timer::kNever;
}

void Pool::expire_late() noexcept {
  Task* late = nullptr;
  int64_t look_ns = Timer::kNever;
  {
    PatientLock lock(mutex_);
    take_late(steady_ns(), late);
    waiting_.store(lanes_.size(), std::memory_order_relaxed);
    lateness_.armed_ns = Timer::kNever;
    look_ns = next_look();
  }
  if (look_ns != Timer::kNever) look_at(look_ns);
  post_all(late, OFFLOOP_DEADLINE);
}

}  // namespace offloop
