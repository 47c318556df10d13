#include "base/cpu.hpp"
#include "ops/bodies.hpp"

namespace offloop::ops {

Status noop(Call& call) { return call.returns(); }

Status spin(Call& call) {
  const int64_t end = steady_ns() + static_cast<int64_t>(call.number(0) * 1e6);
  while (steady_ns() < end) {
    if (call.stopped()) return call.cancelled();
    cpu_relax();
  }
  return call.returns();
}

Status sleep(Call& call) { return call.settles_at(call.accepted_ns() + static_cast<int64_t>(call.number(0) * 1e6)); }

}  // namespace offloop::ops
