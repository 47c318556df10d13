#include "addon/messages.hpp"

#include <cstdlib>
#include <cstring>

#include "addon/hand_over.hpp"
#include "addon/layout.hpp"
#include "core/message.hpp"

namespace offloop {
namespace {

static_assert(layout::kMessageApart == message::kApart && layout::kMessageWordsShift == message::kWordsShift &&
              layout::kMessageShortBytes == message::kShortBytes && layout::kMessageLongWords == message::kLongWords &&
              layout::kMessageMostItems == message::kMostItems && layout::kMessagesWords >= message::kMostWords);

uint8_t* copy_bytes(napi_env env, napi_value view, size_t& size) noexcept {
  void* data = nullptr;
  if (napi_get_typedarray_info(env, view, nullptr, &size, &data, nullptr, nullptr) != napi_ok) return nullptr;
  auto* copy = static_cast<uint8_t*>(std::malloc(size ? size : 1));
  if (copy && size > 0) std::memcpy(copy, data, size);
  return copy;
}

napi_value make_text(napi_env env, uint8_t* memory, size_t size) noexcept {
  napi_value string = nullptr;
  napi_create_string_utf8(env, reinterpret_cast<const char*>(memory), size, &string);
  std::free(memory);
  return string;
}

/// Of a value that could not be made: whoever receives its message is told in our own words.
napi_value undefined_instead(napi_env env) noexcept {
  napi_value value = nullptr;
  forget_exception(env);
  napi_get_undefined(env, &value);
  return value;
}

}  // namespace

bool copy_attachments(napi_env env, uint32_t* messages, Batch& batch, napi_value attachments) noexcept {
  napi_valuetype type = napi_undefined;
  napi_typeof(env, attachments, &type);
  if (type == napi_undefined) return true;
  uint32_t* each = messages;
  for (uint32_t i = 0; i < batch.count; ++i, each += message::words_of(each)) {
    bool complete = true;
    message::each_apart(each, [&](uint32_t* cell) {
      napi_value value = nullptr;
      size_t size = 0;
      uint8_t* copy = nullptr;
      if (napi_get_element(env, attachments, cell[message::kHeadWords], &value) == napi_ok) {
        copy = message::kind_of(cell) == OFFLOOP_TEXT ? copy_text(env, value, size, std::malloc)
                                                      : copy_bytes(env, value, size);
      }
      complete = complete && copy && size <= UINT32_MAX;
      message::set_memory(cell, copy);
      cell[1] = static_cast<uint32_t>(size);
    });
    if (complete) continue;
    message::drop(each, message::words_of(each));
    batch = {static_cast<size_t>(each - messages), i};
    return false;
  }
  return true;
}

void make_objects(napi_env env, uint32_t* messages, uint32_t count, napi_value objects) noexcept {
  uint32_t made = 0;
  for (uint32_t* each = messages; count > 0; --count, each += message::words_of(each)) {
    message::each_apart(each, [&](uint32_t* cell) {
      uint8_t* memory = message::memory_of(cell);
      const bool is_text = message::kind_of(cell) == OFFLOOP_TEXT;
      napi_value value = is_text ? make_text(env, memory, cell[1]) : hand_over(env, memory, cell[1]);
      napi_set_element(env, objects, made, value ? value : undefined_instead(env));
      cell[message::kHeadWords] = made++;
    });
  }
}

}  // namespace offloop
