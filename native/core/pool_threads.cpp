// The threads of a pool: who is woken, who is started, who ends.
#include <algorithm>

#include "base/patient_lock.hpp"
#include "core/mailbox.hpp"
#include "core/pool.hpp"
#include "platform/thread.hpp"

namespace offloop {
namespace {

/// Waking a thread costs about this much; work that is done sooner is not worth another one.
constexpr int64_t kWakeNs = 20'000;

}  // namespace

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
  if (alive_ < threads_ && !closed_) {
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
      auto place = std::find_if(workers_.begin(), workers_.end(), [](const auto& each) { return !each->alive_; });
      if (place == workers_.end()) {
        workers_.push_back(std::make_unique<Worker>());
        parked_.reserve(workers_.size());
        place = workers_.end() - 1;
      }
      life->worker = worker = place->get();
      worker->alive_ = true;
      if (!options_.exact_name) name = "/" + std::to_string(place - workers_.begin());
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
      if (worker) worker->alive_ = false;
      --alive_;
      if (lanes_.size() > 0 && !parked_.empty()) {  // somebody may have counted on this one
        instead = parked_.back();
        parked_.pop_back();
      }
    }
    if (instead) instead->unpark();
    say_farewell();
  }
  return error;
}

void Pool::give_up(int error) noexcept {
  Task* chain = nullptr;
  {
    PatientLock lock(mutex_);
    if (alive_ > 0) return;  // those that run will do the work
    chain = take_all();
  }
  for (Letter* each = chain; each; each = each->next) {
    try {
      static_cast<Task*>(each)->fail(Failure::Source::system, -error, "", "pthread_create", "");
    } catch (const std::bad_alloc&) {
      // the status alone will do
    }
  }
  post_all(chain, OFFLOOP_SYSTEM);
}

void Pool::resize(uint32_t threads) noexcept {
  Help help;
  uint32_t surplus = 0;
  {
    PatientLock lock(mutex_);
    threads_ = threads;
    if (alive_ > threads_) {
      surplus = alive_ - threads_;
    } else if (lanes_.size() > 0) {
      help = call_help();
    }
  }
  for (; surplus > 0; --surplus) {
    Worker* worker = nullptr;
    {
      PatientLock lock(mutex_);
      if (alive_ <= threads_ || parked_.empty()) break;  // the others look when they have done what they hold
      worker = parked_.back();
      parked_.pop_back();  // not all at once by a swap: the room of parked_ must stay
    }
    worker->unpark();
  }
  if (int error = summon(help)) give_up(error);
}

void Pool::leave() noexcept {
  Help help;
  {
    PatientLock lock(mutex_);
    if (lanes_.size() > 0) help = call_help();  // somebody may have counted on this thread
  }
  if (int error = summon(help)) give_up(error);
  say_farewell();
}

void Pool::say_farewell() noexcept {
  Task* farewell = nullptr;
  {
    PatientLock lock(mutex_);
    if (alive_ == 0) farewell = std::exchange(farewell_, nullptr);
  }
  if (farewell) farewell->home->post(farewell);
}

}  // namespace offloop
