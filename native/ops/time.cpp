#include "base/cpu.hpp"
#include "ops/bodies.hpp"
#include "ops/pieces.hpp"

namespace offloop::ops {

Status noop(Call& call) { return call.returns(); }

/// Keeps its thread until it ends, whoever waits: that is what it is for.
Status spin(Call& call) {
  const double ms = call.number(0);
  const int64_t began = steady_ns();
  const int64_t end = began + static_cast<int64_t>(ms * 1e6);
  Pace pace;
  for (int64_t now = began; now < end; now = steady_ns()) {
    if (call.stopped()) return call.cancelled();
    pace.tell(call, static_cast<double>(now - began) / 1e6, ms, now);
    cpu_relax();
  }
  call.progress(ms, ms);
  return call.returns();
}

Status sleep(Call& call) { return call.settles_at(call.accepted_ns() + static_cast<int64_t>(call.number(0) * 1e6)); }

}  // namespace offloop::ops
