// Where a body writes a result whose size it learns on the way.
#pragma once

#include <cstring>
#include <utility>

#include "offloop/task.hpp"

namespace offloop::ops {

/// Room for `capacity` bytes or more: in the task's own memory while they are few, else in a block that is handed over
/// without a copy. Throws std::bad_alloc.
class Output {
 public:
  Output(Call& call, size_t capacity) : call_(call), capacity_(capacity) {
    if (capacity <= kShort) {
      short_ = call.scratch(capacity);
    } else {
      block_.reserve(capacity);
    }
  }

  uint8_t* data() noexcept { return short_ ? short_ : block_.data(); }
  size_t capacity() const noexcept { return capacity_; }

  /// More room; what has been written stays.
  void grow(size_t capacity) {
    block_.reserve(capacity);
    if (short_) std::memcpy(block_.data(), short_, capacity_);
    short_ = nullptr;
    capacity_ = capacity;
  }

  /// Ends the call with the first `size` bytes.
  Status returns(size_t size, Kind kind = OFFLOOP_BYTES) {
    if (short_) return call_.returns(Value::of(kind, short_, size));
    if (size <= kShort) {
      uint8_t* copy = call_.scratch(size);
      std::memcpy(copy, block_.data(), size);
      return call_.returns(Value::of(kind, copy, size));
    }
    if (capacity_ - size > size / 8)
      block_.reserve(size);  // the result may live for long: give back what it does not use
    block_.resize(size);
    return call_.returns(std::move(block_), kind);
  }

 private:
  /// Up to here a copy is cheaper than a block of its own.
  static constexpr size_t kShort = 96;

  Call& call_;
  size_t capacity_;
  uint8_t* short_ = nullptr;
  Bytes block_;
};

}  // namespace offloop::ops
