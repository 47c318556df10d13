// The memory that JavaScript and the addon share: lib/layout.ts says the same in TypeScript.
#pragma once

#include <cstdint>

namespace offloop::layout {

// Submission ring: records of 32-bit words, packed. A record is a header and its cells, and holds no address: it can be
// set aside and written again later.
//   word 0  operation | cell count << 16
//   word 1  slot
//   word 2  generation | priority << 24
//   word 3  pool | bytes of arena used, in units of 8 << 16
// A cell is four words: kind, length, and 8 bytes of payload.
inline constexpr uint32_t kRingWords = 32 * 1024;
inline constexpr uint32_t kHeaderWords = 4;
inline constexpr uint32_t kCellWords = 4;
inline constexpr uint32_t kArenaBytes = 256 * 1024;

enum class Cell : uint32_t {
  undefined,
  null,
  boolean,         // length: 0 or 1
  number,          // payload: float64
  bigint,          // payload: int64
  text,            // UTF-8 in the arena; length: bytes; payload word 0: offset in the record's part of it
  bytes,           // likewise
  attached_text,   // the next attachment, a string
  attached_bytes,  // the next attachment, a Uint8Array; payload: its length as float64, so that a detached one shows
};

// Completion ring: four words each.
//   word 0  slot
//   word 1  outcome | generation << 8
//   word 2, 3  payload: float64, int64, or an offset in the result arena and a length, or an index into `objects`
inline constexpr uint32_t kCompletions = 512;
inline constexpr uint32_t kCompletionWords = 4;
inline constexpr uint32_t kResultBytes = 64 * 1024;
inline constexpr uint32_t kShortResult = 1024;  // bytes that take the arena; longer results come as objects

enum class Outcome : uint32_t { undefined, null, no, yes, number, bigint, bytes, object, failure };

/// Pools that one environment can have open at a time.
inline constexpr uint32_t kPools = 4096;
inline constexpr uint32_t kGenerations = 1u << 24;

}  // namespace offloop::layout
