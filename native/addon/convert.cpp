#include "addon/convert.hpp"

#include <cstdlib>
#include <cstring>
#include <string>
#include <utility>

#include "addon/backing_store.hpp"
#include "addon/hand_over.hpp"
#include "addon/queues.hpp"
#include "addon/stream.hpp"
#include "core/port.hpp"

namespace offloop {
namespace {

using layout::Cell;

/// A task with more input than this is not brief, whatever its operation.
constexpr size_t kBriefBytes = 1024;

double payload_number(const uint32_t* cell) noexcept {
  double number;
  std::memcpy(&number, cell + 2, sizeof number);
  return number;
}

Value copy_from_arena(Task& task, Kind kind, const uint32_t* cell, const Inputs& inputs) {
  const uint32_t length = cell[1];
  uint8_t* copy = task.scratch(length);
  std::memcpy(copy, inputs.arena + cell[2], length);
  return Value::of(kind, copy, length);
}

napi_value next_attachment(napi_env env, Inputs& inputs) noexcept {
  napi_value value = nullptr;
  napi_get_element(env, inputs.attachments, inputs.next_attachment++, &value);
  return value;
}

/// Copied: strings have no bytes of their own to borrow.
Value copy_attached_text(napi_env env, Task& task, Inputs& inputs) {
  napi_value string = next_attachment(env, inputs);
  size_t length = 0;
  const uint8_t* copy = copy_text(env, string, length, [&](size_t bytes) { return task.scratch(bytes); });
  return Value::of(OFFLOOP_TEXT, copy, length);
}

/// Borrowed: JavaScript holds the view until the task has settled, and its memory is pinned where that can be done.
/// What cannot be read where it is does not come here: lib/memory.ts has it copied.
Status borrow(napi_env env, Task& task, const uint32_t* cell, Inputs& inputs, Value& value) {
  napi_value view = next_attachment(env, inputs);
  napi_value buffer = nullptr;
  void* data = nullptr;
  size_t length = 0;
  napi_typedarray_type type;
  if (napi_get_typedarray_info(env, view, &type, &length, &data, &buffer, nullptr) != napi_ok) return OFFLOOP_DETACHED;
  if (static_cast<double>(length) != payload_number(cell)) return OFFLOOP_DETACHED;
  if (pin(env, task, buffer) != Pinned::for_itself) task.borrows = true;
  value = Value::of(OFFLOOP_BYTES, static_cast<const uint8_t*>(data), length);
  return OFFLOOP_OK;
}

void set(napi_env env, napi_value object, const char* key, napi_value value) noexcept {
  napi_set_named_property(env, object, key, value);
}

napi_value text(napi_env env, std::string_view chars) noexcept {
  napi_value value = nullptr;
  napi_create_string_utf8(env, chars.data(), chars.size(), &value);
  return value;
}

napi_value integer(napi_env env, int number) noexcept {
  napi_value value = nullptr;
  napi_create_int32(env, number, &value);
  return value;
}

napi_value make_bytes(napi_env env, Task& task) noexcept {
  const size_t size = task.result.size;
  const uint8_t* bytes = task.result.bytes;
  if (std::exchange(task.result_owned, false)) return hand_over(env, const_cast<uint8_t*>(bytes), size);
  napi_value buffer = nullptr;
  napi_create_buffer_copy(env, size, bytes, nullptr, &buffer);
  return buffer;
}

napi_value make_value(napi_env env, const Value& value) noexcept {
  napi_value made = nullptr;
  switch (value.kind) {
    case OFFLOOP_NULL:
      napi_get_null(env, &made);
      break;
    case OFFLOOP_BOOLEAN:
      napi_get_boolean(env, value.boolean, &made);
      break;
    case OFFLOOP_NUMBER:
      napi_create_double(env, value.number, &made);
      break;
    case OFFLOOP_BIGINT:
      napi_create_bigint_int64(env, value.integer, &made);
      break;
    case OFFLOOP_TEXT:
      made = text(env, {reinterpret_cast<const char*>(value.bytes), static_cast<size_t>(value.size)});
      break;
    case OFFLOOP_BYTES:
      napi_create_buffer_copy(env, value.size, value.bytes, nullptr, &made);
      break;
    case OFFLOOP_TUPLE:
      napi_create_array_with_length(env, value.size, &made);
      for (uint32_t i = 0; i < value.size; ++i) napi_set_element(env, made, i, make_value(env, value.items[i]));
      break;
    default:
      napi_get_undefined(env, &made);
  }
  return made;
}

}  // namespace

Status read_arguments(napi_env env, Task& task, const uint32_t* cells, uint32_t count, Inputs& inputs) {
  auto* values = reinterpret_cast<Value*>(task.scratch(count * sizeof(Value)));
  size_t bytes = 0;
  Status status = OFFLOOP_OK;
  for (uint32_t i = 0; i < count; ++i) {
    const uint32_t* cell = cells + i * layout::kCellWords;
    Value& value = values[i];
    value = Value::undefined();
    switch (static_cast<Cell>(cell[0])) {
      case Cell::undefined:
        break;
      case Cell::null:
        value = Value::null();
        break;
      case Cell::boolean:
        value = Value::of(cell[1] != 0);
        break;
      case Cell::number:
        value = Value::of(payload_number(cell));
        break;
      case Cell::bigint: {
        int64_t integer;
        std::memcpy(&integer, cell + 2, sizeof integer);
        value = Value::of(integer);
        break;
      }
      case Cell::text:
        value = copy_from_arena(task, OFFLOOP_TEXT, cell, inputs);
        break;
      case Cell::bytes:
        value = copy_from_arena(task, OFFLOOP_BYTES, cell, inputs);
        break;
      case Cell::attached_text:
        value = copy_attached_text(env, task, inputs);
        break;
      case Cell::room:
      case Cell::attached_bytes:
        if (Status refused = borrow(env, task, cell, inputs, value)) status = refused;
        break;
      case Cell::stream:
        join_stream(env, next_attachment(env, inputs), task);
        break;
      case Cell::queue:
        ++inputs.next_attachment;
        if (const Queues::End* end = inputs.queues.at(cell[1])) {
          value = QueuePort::attach(task, end->queue);
        } else {
          status = OFFLOOP_UNSUPPORTED;
        }
        break;
    }
    if (value.kind == OFFLOOP_TEXT || value.kind == OFFLOOP_BYTES) bytes += value.size;
  }
  task.arguments = values;
  task.argument_count = static_cast<uint16_t>(count);
  task.brief = task.operation->brief && bytes <= kBriefBytes;
  return status;
}

napi_value make_result(napi_env env, Task& task) noexcept {
  const size_t size = task.result.size;
  napi_value made = task.result.kind == OFFLOOP_BYTES ? make_bytes(env, task) : make_value(env, task.result);
  if (made) return made;
  forget_exception(env);
  try {
    const std::string message = "its result of " + std::to_string(size) + " bytes is more than the host can hold";
    task.fail(Failure::Source::task, 0, "", "", message);
  } catch (const std::bad_alloc&) {
    // the status alone will do
  }
  task.refuse(OFFLOOP_UNSUPPORTED);
  return nullptr;
}

napi_value make_failure(napi_env env, const Task& task) noexcept {
  static const Failure kUnexplained;
  const Failure* const told = task.extras() ? task.extras()->failure.get() : nullptr;
  const bool explains = told && (told->about == OFFLOOP_OK || told->about == task.status);
  const Failure& failure = explains ? *told : kUnexplained;
  static constexpr const char* kSources[] = {"task", "system", "resolver", "library"};
  napi_value object = nullptr;
  if (napi_create_object(env, &object) != napi_ok) return nullptr;
  set(env, object, "status", integer(env, task.status));
  set(env, object, "task", text(env, task.operation ? task.operation->name : ""));
  set(env, object, "source", text(env, kSources[static_cast<int>(failure.source)]));
  set(env, object, "number", integer(env, failure.number));
  set(env, object, "name", text(env, failure.name));
  set(env, object, "syscall", text(env, failure.syscall));
  set(env, object, "message", text(env, failure.message));
  const bool names_its_subject =
      failure.source == Failure::Source::system || failure.source == Failure::Source::resolver;
  const bool has_name =
      task.argument_count > 0 && (task.arguments[0].kind == OFFLOOP_TEXT || task.arguments[0].kind == OFFLOOP_BYTES);
  if (names_its_subject && has_name) set(env, object, "subject", make_value(env, task.arguments[0]));
  return object;
}

}  // namespace offloop
