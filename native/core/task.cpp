#include "core/task.hpp"

#include <cstdlib>
#include <cstring>
#include <exception>
#include <memory>

#include "core/last_orders.hpp"
#include "core/mailbox.hpp"
#include "core/turn.hpp"

namespace offloop {

uint8_t* Task::scratch(size_t size) {
  bare = false;
  const size_t rounded = (size + 7) & ~size_t{7};
  if (rounded <= sizeof scratch_ - used_) {
    uint8_t* memory = scratch_ + used_;
    used_ = static_cast<uint8_t>(used_ + rounded);
    return memory;
  }
  auto* block = static_cast<Block*>(std::malloc(sizeof(Block) + size));
  if (!block) throw std::bad_alloc();
  block->next = blocks_;
  blocks_ = block;
  return reinterpret_cast<uint8_t*>(block + 1);
}

Extras& Task::make_extras() {
  if (!extras_) extras_ = new (scratch(sizeof(Extras))) Extras(*this);
  return *extras_;
}

void Task::at_recycle(void (*give_back)(void*) noexcept, void* what) {
  Extras& extras = make_extras();
  extras.leftovers = new (scratch(sizeof(Extras::Leftover))) Extras::Leftover{extras.leftovers, give_back, what};
}

void Task::release() noexcept {
  if (result_owned) std::free(const_cast<uint8_t*>(result.bytes));
  result_owned = false;
  if (extras_) {
    for (auto* each = extras_->leftovers; each; each = each->next) each->give_back(each->what);
    std::destroy_at(std::exchange(extras_, nullptr));
  }
  while (blocks_) std::free(std::exchange(blocks_, blocks_->next));
  used_ = 0;
  arguments = nullptr;
  argument_count = 0;
  borrows = false;
  bare = true;
}

void Task::fail(Failure::Source source, int number, const char* name, const char* syscall, std::string message) {
  make_extras().failure.reset(new Failure{source, number, name, syscall, std::move(message)});
}

Task::Ended Task::run() noexcept {
  Call call(*this);
  if (call.stopped()) {
    refuse(OFFLOOP_CANCELLED);
    return Ended::settled;
  }
  Status ended = OFFLOOP_TASK_FAILED;
  try {
    ended = operation->body(call);
  } catch (const std::bad_alloc&) {
    ended = OFFLOOP_NO_MEMORY;
  } catch (const std::exception& error) {
    try {
      fail(Failure::Source::task, 0, "", "", error.what());
    } catch (...) {
      // no memory for the message: the status alone will do
    }
  } catch (...) {
    // thrown by the body, and not an exception: nothing to tell but the status
  }
  if (ended == kSleeps) return Ended::sleeps;
  if (ended == kYields) return Ended::yields;
  status = static_cast<uint8_t>(ended);
  return Ended::settled;
}

void Task::tell(Extras::News news) noexcept {
  // acq_rel: the loop that takes the news sees what they are about; and who finds none before sees the loop done with the
  // notice, which it may post again then
  if (extras_->news.fetch_or(news, std::memory_order_acq_rel) != 0) return;
  home->post_notice(extras_->notice);
}

size_t Call::count() const noexcept { return task_.argument_count; }
const Value& Call::argument(size_t index) const noexcept { return task_.arguments[index]; }
bool Call::stopped() const noexcept {
  // relaxed: the flag carries no data, and a body that misses it now sees it at its next look
  return task_.stop.load(std::memory_order_relaxed) || LastOrders::called();
}
int64_t Call::accepted_ns() const noexcept { return task_.accepted_ns; }

int64_t Call::budget_left_ns() const noexcept {
  const Extras* extras = task_.extras();
  if (!extras || extras->budget_ns == Timer::kNever) return Timer::kNever;
  return extras->budget_ns - extras->cpu_ns - (extras->clock.now_ns() - extras->turn_cpu_began_ns);
}

bool Call::turn_is_over() const noexcept { return Turn::is_over(); }

void Call::progress(double done, double total) noexcept {
  Extras* extras = task_.extras();
  // relaxed: a reader that comes a moment later hears of the next piece
  if (!extras || !extras->watched.load(std::memory_order_relaxed)) return;
  extras->total.store(total, std::memory_order_relaxed);
  extras->done.store(done, std::memory_order_release);  // whoever reads it reads this total, or a later one
  task_.tell(Extras::kProgress);
}

void* Call::kept_state() const noexcept { return task_.extras() ? task_.extras()->state : nullptr; }

void Call::keep_state(void* state, void (*destroy)(void*) noexcept) {
  task_.at_recycle(destroy, state);
  task_.extras()->state = state;
}
uint8_t* Call::scratch(size_t size) { return task_.scratch(size); }

Status Call::returns() noexcept { return OFFLOOP_OK; }

Status Call::returns(Value value) noexcept {
  task_.result = value;
  return OFFLOOP_OK;
}

Status Call::returns(Bytes&& bytes, Kind kind) noexcept {
  const size_t size = bytes.size();
  task_.result = Value::of(kind, bytes.release(), size);
  task_.bare = false;
  task_.result_owned = true;
  return OFFLOOP_OK;
}

Value Call::text_value(std::string_view text) {
  uint8_t* copy = scratch(text.size());
  std::memcpy(copy, text.data(), text.size());
  return Value::of(OFFLOOP_TEXT, copy, text.size());
}

Status Call::fails_in_system(const char* syscall, int number) {
  task_.fail(Failure::Source::system, -number, "", syscall, "");
  return OFFLOOP_SYSTEM;
}

Status Call::fails_in_resolver(const char* name, int number) {
  task_.fail(Failure::Source::resolver, number, name, "getaddrinfo", "");
  return OFFLOOP_SYSTEM;
}

Status Call::fails_in_library(const char* name, int number, std::string_view message) {
  task_.fail(Failure::Source::library, number, name, "", std::string(message));
  return OFFLOOP_TASK_FAILED;
}

Status Call::unsupported(std::string_view message) {
  task_.fail(Failure::Source::task, 0, "", "", std::string(message));
  return OFFLOOP_UNSUPPORTED;
}

Status Call::refused(Status status, std::string_view message) noexcept {
  const Extras* const extras = task_.extras();
  if (extras && extras->failure && extras->failure->about == status) return status;
  try {
    task_.fail(Failure::Source::task, 0, "", "", std::string(message));
    task_.extras()->failure->about = status;
  } catch (const std::bad_alloc&) {
    // the status alone will do
  }
  return status;
}

Status Call::settles_at(int64_t due_ns) noexcept {
  task_.result = Value::of(due_ns);  // not in its timer, which its limits may be using
  return kSleeps;
}

Status Call::yields() noexcept { return kYields; }

}  // namespace offloop
