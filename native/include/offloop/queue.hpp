// Queues as the body of a task sees them.
#pragma once

#include "offloop/task.hpp"

namespace offloop {

/// A task's hold on a queue that it was given as an argument. Sends, and receives if nobody else does: a queue has one
/// receiver at a time, and a task stays it until it is done with.
///
/// What blocks holds the task's thread: that is for Workers, whose thread is their own.
/// Thread: the body's. Lifetime: the task's.
class Port {
 public:
  /// Blocks while the queue is full, if its policy is to wait. Copies the value: text, bytes, numbers, and flat tuples of
  /// 1,024 items at most; else OFFLOOP_UNSUPPORTED. Errors: OFFLOOP_CLOSED; OFFLOOP_CANCELLED: the run is to end;
  /// OFFLOOP_QUEUE_FULL and OFFLOOP_DROPPED by policy; OFFLOOP_NO_MEMORY.
  virtual Status send(Call& call, const Value& value) noexcept = 0;
  /// The same, but OFFLOOP_QUEUE_FULL instead of waiting.
  virtual Status try_send(const Value& value) noexcept = 0;
  /// Blocks until there is a message: `value` is valid until the next one is received. Errors: OFFLOOP_CLOSED: nothing will
  /// come any more; OFFLOOP_CANCELLED: the run is to end; OFFLOOP_UNSUPPORTED: somebody else receives; OFFLOOP_NO_MEMORY.
  virtual Status receive(Call& call, Value& value) noexcept = 0;
  /// False: there is none now.
  virtual bool try_receive(Value& value) noexcept = 0;
  /// Nothing more is accepted. What is there can still be received.
  virtual void close() noexcept = 0;

 protected:
  ~Port() = default;
};

}  // namespace offloop
