// A message: what a queue carries, as words that JavaScript reads and writes too (lib/primitives/messages.ts).
#pragma once

#include <cstddef>
#include <cstdint>

#include "offloop/task.hpp"

namespace offloop::message {

// A message is one cell, or the cell of a tuple and behind it one for each item. Cells begin at multiples of 8 bytes.
//   word 0  kind | kApart << 7 | words << kWordsShift: of the cell; of a tuple, of the whole message
//   word 1  text and bytes: how many bytes; tuple: how many items; boolean: 0 or 1
//   then    number: float64; bigint: int64; text and bytes: as they are, or 8 bytes that tell where they are, if apart
// A tuple is marked as apart when any of its items is.
inline constexpr uint32_t kKindMask = 0x7f;
inline constexpr uint32_t kApart = 0x80;
inline constexpr uint32_t kWordsShift = 8;
inline constexpr uint32_t kHeadWords = 2;
/// A cell with 8 bytes of payload.
inline constexpr uint32_t kCellWords = 4;

/// Text and bytes longer than this, and those of a message that has become longer than kLongWords, are kept apart: in memory
/// from malloc, which the message owns.
inline constexpr uint32_t kShortBytes = 3072;
inline constexpr uint32_t kLongWords = 8192;
inline constexpr uint32_t kMostItems = 1024;
/// No message is longer: a long one and a short text, and cells for all the items.
inline constexpr uint32_t kMostWords = kLongWords + kHeadWords + kShortBytes / 4 + kMostItems * kCellWords;

inline uint32_t kind_of(const uint32_t* cell) noexcept { return cell[0] & kKindMask; }
inline bool is_apart(const uint32_t* cell) noexcept { return cell[0] & kApart; }
inline uint32_t words_of(const uint32_t* cell) noexcept { return cell[0] >> kWordsShift; }

/// What a cell that is apart points at.
uint8_t* memory_of(const uint32_t* cell) noexcept;
void set_memory(uint32_t* cell, uint8_t* memory) noexcept;

/// Calls `visit(cell)` for each cell of a message that is apart.
template <class Word, class Visit>
void each_apart(Word* message, Visit&& visit) {
  if (!is_apart(message)) return;
  if (kind_of(message) != OFFLOOP_TUPLE) return visit(message);
  Word* const end = message + words_of(message);
  for (Word* cell = message + kHeadWords; cell < end; cell += words_of(cell)) {
    if (is_apart(cell)) visit(cell);
  }
}

/// Frees what messages keep apart.
void drop(const uint32_t* messages, size_t words) noexcept;

/// Whether a queue can carry it: tuples are flat, and have kMostItems at most.
bool fits(const Value& value) noexcept;
/// Writes a value that fits, as at most kMostWords. Returns how many. Throws std::bad_alloc, and has kept nothing then.
size_t write(const Value& value, uint32_t* words);
/// The value of a message, which points into it; `items` has room for those of a tuple.
Value read(const uint32_t* message, Value* items) noexcept;

}  // namespace offloop::message
