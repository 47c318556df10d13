// The memory that JavaScript and the addon share: lib/layout.ts says the same in TypeScript.
#pragma once

#include <cstdint>

namespace offloop::layout {

// Submission ring: records of 32-bit words, packed. A record is a header, its limits if it has any, and its cells.
//   word 0  operation | cell count << 16 | has limits << 24
//   word 1  slot
//   word 2  generation | priority << 24
//   word 3  pool | bytes of arena used, in units of 8 << 16
// A cell is four words: kind, length, and 8 bytes of payload.
inline constexpr uint32_t kRingWords = 32 * 1024;
inline constexpr uint32_t kHeaderWords = 4;
inline constexpr uint32_t kCellWords = 4;
inline constexpr uint32_t kLimited = 1u << 24;  // in word 0
// Limits are eight words: three float64 in milliseconds, each infinite where there is none, and flags.
//   word 0, 1  deadline, from now
//   word 2, 3  run time
//   word 4, 5  CPU time
//   word 6     kLimitsWatched: limits or not, its times are wanted and news may be | kLimitsTellsStart
inline constexpr uint32_t kLimitWords = 8;
inline constexpr uint32_t kLimitsWatched = 1;
inline constexpr uint32_t kLimitsTellsStart = 2;
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
  room,            // the next attachment, a Uint8Array that the task writes into
  stream,          // the next attachment, which stands for a stream: the task is a step of it
  queue,           // length: its number. The next attachment is what JavaScript knows it as
};

// Completion ring: four words each.
//   word 0  slot
//   word 1  outcome | generation << 8
//   word 2, 3  payload: float64, int64, or an offset in the result arena and a length, or an index into `objects`; of a
//              notice, its news (started, progress, cut: bits 0, 1, 2) and the status of the limit that cut the task
// Of a signal, word 0 is its number and no slot.
// Beside each stand three float64: the times of a task that is watched, in nanoseconds (queued, run, CPU), or how far it
// has come and of how much, when there is news of that.
inline constexpr uint32_t kCompletions = 512;
inline constexpr uint32_t kCompletionWords = 4;
inline constexpr uint32_t kFiguresPerCompletion = 3;
inline constexpr uint32_t kResultBytes = 64 * 1024;
inline constexpr uint32_t kShortResult = 1024;  // bytes that take the arena; longer results come as objects

enum class Outcome : uint32_t { undefined, null, no, yes, number, bigint, bytes, object, failure, notice, signal };

/// What a notice can tell; the same in core/extras.hpp.
inline constexpr uint32_t kNewsStarted = 1;
inline constexpr uint32_t kNewsProgress = 2;
inline constexpr uint32_t kNewsCut = 4;

// Messages of queues: core/message.hpp has the picture. Cells are of the kinds of offloop_kind; what is apart has, on its way
// through JavaScript, its index in an array instead of its address.
inline constexpr uint32_t kMessagesWords = 16 * 1024;
inline constexpr uint32_t kMessageApart = 128;
inline constexpr uint32_t kMessageWordsShift = 8;
inline constexpr uint32_t kMessageShortBytes = 3072;
inline constexpr uint32_t kMessageLongWords = 8192;
inline constexpr uint32_t kMessageMostItems = 1024;
/// With the room that a sender is promised: the receiver sleeps.
inline constexpr uint32_t kRoomAwaited = 1u << 24;

/// Pools that one environment can have open at a time.
inline constexpr uint32_t kPools = 4096;
inline constexpr uint32_t kGenerations = 1u << 24;

}  // namespace offloop::layout
