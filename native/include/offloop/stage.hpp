// What a streaming operation is to native code: a stage, which takes pieces of its input and gives pieces of its output.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "offloop/task.hpp"

namespace offloop {

/// One step of a stream: what there is to take, where to put what comes of it, and how far it went. Units: bytes.
struct Flow {
  std::span<const uint8_t> input;
  std::span<uint8_t> room;
  bool last;  // nothing follows the input

  size_t taken = 0;    // of the input, from the front
  size_t given = 0;    // of the room, likewise
  bool ended = false;  // the stage neither takes nor gives any more

  std::span<const uint8_t> rest() const noexcept { return input.subspan(taken); }
  std::span<uint8_t> free() const noexcept { return room.subspan(given); }
};

/// An operation at work on a stream. Thread: any pool thread, one at a time. Lifetime: from the first step to the one that
/// ends or fails, or until nobody has the stream any more.
class Stage {
 public:
  Stage() = default;
  Stage(const Stage&) = delete;
  virtual ~Stage() = default;

  /// Takes and gives what it can without holding the thread for longer than its turn. It has given all there is for now if
  /// it has taken all of the input and left some of the room. Like a body, it may throw, and ends when it is stopped.
  virtual Status step(Call& call, Flow& flow) = 0;
};

}  // namespace offloop
