#include "core/message.hpp"

#include <cstdlib>
#include <cstring>
#include <new>

namespace offloop::message {
namespace {

uint32_t head(uint32_t kind, size_t words) noexcept { return kind | static_cast<uint32_t>(words << kWordsShift); }

/// A cell that has `before` words of the message ahead of it.
size_t write_cell(const Value& value, uint32_t* cell, size_t before) {
  size_t words = kHeadWords;
  cell[1] = 0;
  switch (value.kind) {
    case OFFLOOP_BOOLEAN:
      cell[1] = value.boolean;
      break;
    case OFFLOOP_NUMBER:
    case OFFLOOP_BIGINT:
      std::memcpy(cell + kHeadWords, &value.integer, 8);
      words = kCellWords;
      break;
    case OFFLOOP_TEXT:
    case OFFLOOP_BYTES: {
      const size_t size = value.size;
      cell[1] = static_cast<uint32_t>(size);
      if (size > kShortBytes || before > kLongWords) {
        auto* memory = static_cast<uint8_t*>(std::malloc(size ? size : 1));
        if (!memory) throw std::bad_alloc();
        std::memcpy(memory, value.bytes, size);
        set_memory(cell, memory);
        cell[0] = head(value.kind | kApart, kCellWords);
        return kCellWords;
      }
      if (size > 0) std::memcpy(cell + kHeadWords, value.bytes, size);
      words += (size + 7) / 8 * 2;
      break;
    }
  }
  cell[0] = head(value.kind, words);
  return words;
}

Value read_cell(const uint32_t* cell) noexcept {
  const auto kind = static_cast<Kind>(kind_of(cell));
  switch (kind) {
    case OFFLOOP_NULL:
      return Value::null();
    case OFFLOOP_BOOLEAN:
      return Value::of(cell[1] != 0);
    case OFFLOOP_NUMBER: {
      double number;
      std::memcpy(&number, cell + kHeadWords, sizeof number);
      return Value::of(number);
    }
    case OFFLOOP_BIGINT: {
      int64_t integer;
      std::memcpy(&integer, cell + kHeadWords, sizeof integer);
      return Value::of(integer);
    }
    case OFFLOOP_TEXT:
    case OFFLOOP_BYTES: {
      const auto* here = reinterpret_cast<const uint8_t*>(cell + kHeadWords);
      return Value::of(kind, is_apart(cell) ? memory_of(cell) : here, cell[1]);
    }
    default:
      return Value::undefined();
  }
}

}  // namespace

uint8_t* memory_of(const uint32_t* cell) noexcept {
  uint8_t* memory;
  std::memcpy(&memory, cell + kHeadWords, sizeof memory);
  return memory;
}

void set_memory(uint32_t* cell, uint8_t* memory) noexcept {
  std::memset(cell + kHeadWords, 0, 8);
  std::memcpy(cell + kHeadWords, &memory, sizeof memory);
}

void drop(const uint32_t* messages, size_t words) noexcept {
  const uint32_t* const end = messages + words;
  for (; messages < end; messages += words_of(messages)) {
    each_apart(messages, [](const uint32_t* cell) { std::free(memory_of(cell)); });
  }
}

bool fits(const Value& value) noexcept {
  if (value.kind != OFFLOOP_TUPLE) return value.kind < OFFLOOP_TUPLE && value.size <= UINT32_MAX;
  if (value.size > kMostItems) return false;
  for (size_t i = 0; i < value.size; ++i) {
    if (value.items[i].kind >= OFFLOOP_TUPLE || !fits(value.items[i])) return false;
  }
  return true;
}

size_t write(const Value& value, uint32_t* words) {
  if (value.kind != OFFLOOP_TUPLE) return write_cell(value, words, 0);
  size_t end = kHeadWords;
  uint32_t apart = 0;
  try {
    for (size_t i = 0; i < value.size; ++i) {
      const size_t size = write_cell(value.items[i], words + end, end);
      if (is_apart(words + end)) apart = kApart;
      end += size;
    }
  } catch (...) {
    words[0] = head(OFFLOOP_TUPLE | apart, end);
    drop(words, end);
    throw;
  }
  words[0] = head(OFFLOOP_TUPLE | apart, end);
  words[1] = static_cast<uint32_t>(value.size);
  return end;
}

Value read(const uint32_t* message, Value* items) noexcept {
  if (kind_of(message) != OFFLOOP_TUPLE) return read_cell(message);
  const uint32_t* cell = message + kHeadWords;
  for (uint32_t i = 0; i < message[1]; ++i, cell += words_of(cell)) items[i] = read_cell(cell);
  return Value::tuple(items, message[1]);
}

}  // namespace offloop::message
