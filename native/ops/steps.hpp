// How the steps of a stream run: each is a task of its own, whose state is the stream's.
#pragma once

#include <algorithm>
#include <iterator>
#include <memory>
#include <span>
#include <utility>

#include "offloop/stage.hpp"

namespace offloop::ops {

/// Does a step. Its arguments are those of the operation as a whole, with a piece of the data in the place of the data; then
/// the room, whether it is the last piece, and one that stands for the stream. Returns the tuple [taken, given, ended].
///
/// `open(stage)` makes the stage in the first step, or returns why not. A stage that has ended or failed is destroyed here:
/// closing a file may take longer than the loop has time for.
template <class Open>
Status take_step(Call& call, std::span<const uint8_t> input, Open open) {
  const size_t own = call.count() - 3;
  const auto room = call.bytes(own);
  Flow flow{input, {const_cast<uint8_t*>(room.data()), room.size()}, call.boolean(own + 1)};
  auto& kept = call.state<std::unique_ptr<Stage>>();
  auto stage = std::move(kept);
  if (!stage) {
    if (Status refused = open(stage)) return refused;
  }
  if (Status failed = stage->step(call, flow)) return failed;
  if (!flow.ended) kept = std::move(stage);

  const Value fields[] = {Value::of(static_cast<double>(flow.taken)), Value::of(static_cast<double>(flow.given)),
                          Value::of(flow.ended)};
  auto* items = reinterpret_cast<Value*>(call.scratch(sizeof fields));
  std::copy(std::begin(fields), std::end(fields), items);
  return call.returns(Value::tuple(items, std::size(fields)));
}

}  // namespace offloop::ops
