#include "core/task.hpp"

#include <cstdlib>
#include <cstring>
#include <exception>

#include "core/last_orders.hpp"

namespace offloop {

uint8_t* Task::scratch(size_t size) {
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

void Task::release() noexcept {
  if (result_owned) std::free(const_cast<uint8_t*>(result.bytes));
  result_owned = false;
  failure.reset();
  while (blocks_) std::free(std::exchange(blocks_, blocks_->next));
}

void Task::fail(Failure::Source source, int number, const char* name, const char* syscall, std::string message) {
  failure.reset(new Failure{source, number, name, syscall, std::move(message)});
}

bool Task::run() noexcept {
  Call call(*this);
  if (call.stopped()) {
    refuse(OFFLOOP_CANCELLED);
    return true;
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
  if (ended == kPending) return false;
  status = static_cast<uint8_t>(ended);
  return true;
}

size_t Call::count() const noexcept { return task_.argument_count; }
const Value& Call::argument(size_t index) const noexcept { return task_.arguments[index]; }
bool Call::stopped() const noexcept {
  // relaxed: the flag carries no data, and a body that misses it now sees it at its next look
  return task_.stop.load(std::memory_order_relaxed) || LastOrders::called();
}
int64_t Call::accepted_ns() const noexcept { return task_.accepted_ns; }
uint8_t* Call::scratch(size_t size) { return task_.scratch(size); }

Status Call::returns() noexcept { return OFFLOOP_OK; }

Status Call::returns(Value value) noexcept {
  task_.result = value;
  return OFFLOOP_OK;
}

Status Call::returns(Bytes&& bytes, Kind kind) noexcept {
  const size_t size = bytes.size();
  task_.result = Value::of(kind, bytes.release(), size);
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

Status Call::settles_at(int64_t due_ns) noexcept {
  task_.due_ns = due_ns;
  return kPending;
}

}  // namespace offloop
