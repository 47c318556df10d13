#include "core/port.hpp"

#include <new>

namespace offloop {
namespace {

void unpark(void* parker) noexcept { static_cast<Parker*>(parker)->unpark(); }

/// What a queue has refused is not what a pool or the system has: the statuses are the same, the words are not.
Status explained(Call& call, Status status, const char* unsupported) noexcept {
  switch (status) {
    case OFFLOOP_CLOSED:
      return call.refused(status, "refused: the queue is closed");
    case OFFLOOP_QUEUE_FULL:
      return call.refused(status, "refused: the queue's capacity is used up");
    case OFFLOOP_DROPPED:
      return call.refused(status, "dropped: the queue's capacity is used up");
    case OFFLOOP_UNSUPPORTED:
      return call.refused(status, unsupported);
    default:
      return status;
  }
}

}  // namespace

Value QueuePort::attach(Task& task, std::shared_ptr<Queue> queue) {
  auto* port = new (task.scratch(sizeof(QueuePort))) QueuePort(std::move(queue));
  try {
    task.at_recycle([](void* it) noexcept { std::destroy_at(static_cast<QueuePort*>(it)); }, port);
  } catch (...) {
    std::destroy_at(port);
    throw;
  }
  return Value::of(*port);
}

QueuePort::~QueuePort() {
  forget_received();
  queue_->disclaim(this);
}

Status QueuePort::write(const Value& value, size_t& words) noexcept {
  if (!message::fits(value)) return OFFLOOP_UNSUPPORTED;
  try {
    out_.resize(message::kMostWords);
    words = message::write(value, out_.data());
    return OFFLOOP_OK;
  } catch (const std::bad_alloc&) {
    return OFFLOOP_NO_MEMORY;
  }
}

Status QueuePort::put(size_t words) noexcept {
  const Queue::Room room = queue_->reserve(1);
  if (room.messages > 0) return queue_->commit(out_.data(), words, 1, 0) ? OFFLOOP_OK : OFFLOOP_NO_MEMORY;
  if (!room.closed && queue_->options().overflow != Overflow::drop_newest) return OFFLOOP_QUEUE_FULL;
  message::drop(out_.data(), words);
  return room.closed ? OFFLOOP_CLOSED : OFFLOOP_DROPPED;
}

Status QueuePort::try_send(const Value& value) noexcept {
  size_t words = 0;
  if (Status wrong = write(value, words)) return wrong;
  const Status put_in = put(words);
  if (put_in == OFFLOOP_QUEUE_FULL) message::drop(out_.data(), words);
  return put_in;
}

Status QueuePort::send(Call& call, const Value& value) noexcept {
  return explained(call, send_or_wait(call, value), "a queue cannot carry such a value");
}

Status QueuePort::send_or_wait(Call& call, const Value& value) noexcept {
  size_t words = 0;
  if (Status wrong = write(value, words)) return wrong;
  for (;;) {
    Status put_in = call.stopped() ? OFFLOOP_CANCELLED : put(words);
    if (put_in == OFFLOOP_QUEUE_FULL && queue_->options().overflow == Overflow::wait) {
      if (queue_->await_room(waker_)) continue;
      const OnStop on_stop(call, unpark, parker_.get());
      parker_->park();
      continue;
    }
    if (put_in == OFFLOOP_CANCELLED) queue_->forget(waker_);
    if (put_in == OFFLOOP_QUEUE_FULL || put_in == OFFLOOP_CANCELLED) message::drop(out_.data(), words);
    return put_in;
  }
}

Status QueuePort::take(Value& value) noexcept {
  try {
    in_.resize(message::kMostWords);
    items_.resize(message::kMostItems);
  } catch (const std::bad_alloc&) {
    return OFFLOOP_NO_MEMORY;
  }
  forget_received();
  const Queue::Taken taken = queue_->take(this, {0, 1, false}, in_, waker_);
  if (taken.refused) return OFFLOOP_UNSUPPORTED;
  if (taken.messages == 0) return taken.ended ? OFFLOOP_CLOSED : OFFLOOP_QUEUE_FULL;
  holds_ = true;
  value = message::read(in_.data(), items_.data());
  return OFFLOOP_OK;
}

bool QueuePort::try_receive(Value& value) noexcept { return take(value) == OFFLOOP_OK; }

Status QueuePort::receive(Call& call, Value& value) noexcept {
  return explained(call, receive_or_wait(call, value), "somebody else receives from the queue");
}

Status QueuePort::receive_or_wait(Call& call, Value& value) noexcept {
  for (;;) {
    if (call.stopped()) return OFFLOOP_CANCELLED;
    const Status taken = take(value);
    if (taken != OFFLOOP_QUEUE_FULL) return taken;
    const OnStop on_stop(call, unpark, parker_.get());
    parker_->park();
  }
}

void QueuePort::forget_received() noexcept {
  if (holds_) message::drop(in_.data(), message::words_of(in_.data()));
  holds_ = false;
}

}  // namespace offloop
