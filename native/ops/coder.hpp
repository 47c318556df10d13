// Bytes in, bytes out: what an operation does to data, whether that is there as a whole or comes as a stream.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <utility>

#include "offloop/stage.hpp"
#include "ops/output.hpp"
#include "ops/pieces.hpp"

namespace offloop::ops {

// A coder has these members:
//   std::optional<Status> piece(Call&, Flow&)   does a piece, which takes less than a millisecond whatever the data, and
//                                               returns how it all ends, or nothing while there may be more
//   size_t capacity_for(data)                   a first guess at the output for the whole of the data; asked once, first
//   size_t room() const                         of the output, for the next piece of the whole
//   static constexpr Kind kKind                 of the output as a whole

/// A coder's work on data that is there as a whole, in the terms of ops/pieces.hpp.
template <class Coder>
class Whole {
 public:
  /// The coder is made of `arguments`.
  template <class... Arguments>
  Whole(Call& call, std::span<const uint8_t> data, Arguments&&... arguments)
      : coder_(std::forward<Arguments>(arguments)...), data_(data), output_(call, coder_.capacity_for(data)) {}

  size_t done() const noexcept { return done_; }
  size_t total() const noexcept { return data_.size(); }

  std::optional<Status> step(Call& call) {
    if (!output_.makes_room(used_, coder_.room())) return std::nullopt;
    Flow flow{data_.subspan(done_), {output_.data() + used_, output_.capacity() - used_}, true};
    const std::optional<Status> ended = coder_.piece(call, flow);
    done_ += flow.taken;
    used_ += flow.given;
    return ended == OFFLOOP_OK ? output_.returns(call, used_, Coder::kKind) : ended;
  }

 private:
  Coder coder_;
  std::span<const uint8_t> data_;
  Output output_;
  size_t done_ = 0;
  size_t used_ = 0;
};

/// A coder's work on a stream.
template <class Coder>
class CoderStage final : public Stage {
 public:
  template <class... Arguments>
  explicit CoderStage(Arguments&&... arguments) : coder_(std::forward<Arguments>(arguments)...) {}

  Status step(Call& call, Flow& flow) override {
    while (!call.stopped()) {
      const size_t before = flow.taken + flow.given;
      if (const std::optional<Status> ended = coder_.piece(call, flow)) {
        flow.ended = true;
        return *ended;
      }
      const bool moved = flow.taken + flow.given > before;
      if (!moved || flow.free().empty() || call.turn_is_over()) return call.returns();
    }
    return call.cancelled();
  }

 private:
  Coder coder_;
};

}  // namespace offloop::ops
