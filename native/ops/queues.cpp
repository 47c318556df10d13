#include "offloop/queue.hpp"
#include "ops/bodies.hpp"

namespace offloop::ops {

Status produce(Call& call) {
  Port& to = call.queue(0);
  const double count = call.number(1);
  for (double i = 0; i < count; ++i) {
    if (Status refused = to.send(call, Value::of(i))) return refused;
  }
  return call.returns();
}

Status relay(Call& call) {
  Port& from = call.queue(0);
  Port& to = call.queue(1);
  double count = 0;
  Value value = Value::undefined();
  for (;; ++count) {
    const Status received = from.receive(call, value);
    if (received == OFFLOOP_CLOSED) return call.returns(Value::of(count));
    if (received) return received;
    if (Status refused = to.send(call, value)) return refused;
  }
}

}  // namespace offloop::ops
