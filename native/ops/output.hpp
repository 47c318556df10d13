// Where a body writes a result whose size it learns on the way.
#pragma once

#include <algorithm>
#include <cstring>
#include <utility>

#include "offloop/task.hpp"

namespace offloop::ops {

/// Room for `capacity` bytes or more: in the task's own memory while they are few, else in a block that is handed over
/// without a copy, and touched only where it is written. Lifetime: not beyond the task's. Throws std::bad_alloc.
class Output {
 public:
  /// The C library maps blocks of this size by themselves, and moves them without a copy when they grow.
  static constexpr size_t kMapped = size_t{32} << 20;

  Output(Call& call, size_t capacity) : capacity_(capacity) {
    if (capacity <= kShort) {
      short_ = call.scratch(capacity);
    } else {
      block_.reserve(capacity);
    }
  }

  uint8_t* data() noexcept { return short_ ? short_ : block_.data(); }
  size_t capacity() const noexcept { return capacity_; }

  /// Sees to room for `more` bytes behind the first `used`, which stay. False: they are being copied to a larger block, a
  /// piece with each call; look at the stop flag, and call again.
  bool makes_room(size_t used, size_t more) {
    if (capacity_ - used >= more) return true;
    const size_t doubled = capacity_ * 2;
    if (capacity_ >= kMapped) {
      block_.reserve(doubled);
    } else {
      if (copied_ == 0) next_.reserve(doubled);
      const size_t piece = std::min(used - copied_, kCopied);
      std::memcpy(next_.data() + copied_, data() + copied_, piece);
      copied_ += piece;
      if (copied_ < used) return false;
      block_ = std::exchange(next_, Bytes());
      short_ = nullptr;
      copied_ = 0;
    }
    capacity_ = doubled;
    return capacity_ - used >= more;
  }

  /// Ends the call with the first `size` bytes.
  Status returns(Call& call, size_t size, Kind kind = OFFLOOP_BYTES) {
    if (short_) return call.returns(Value::of(kind, short_, size));
    if (size <= kShort) {
      uint8_t* copy = call.scratch(size);
      std::memcpy(copy, block_.data(), size);
      return call.returns(Value::of(kind, copy, size));
    }
    if (capacity_ - size > size / 8)
      block_.reserve(size);  // the result may live for long: give back what it does not use
    block_.resize(size);
    return call.returns(std::move(block_), kind);
  }

 private:
  /// Up to here a copy is cheaper than a block of its own.
  static constexpr size_t kShort = 96;
  /// A tenth of a millisecond, and more where the memory is touched for the first time.
  static constexpr size_t kCopied = size_t{256} << 10;

  size_t capacity_;
  uint8_t* short_ = nullptr;
  Bytes block_;
  Bytes next_;         // larger
  size_t copied_ = 0;  // so much has got there
};

}  // namespace offloop::ops
