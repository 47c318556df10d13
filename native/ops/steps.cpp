#include "ops/steps.hpp"

#include "ops/bodies.hpp"

namespace offloop::ops {

Status end_stream(Call& call) {
  call.state<std::unique_ptr<Stage>>().reset();
  return call.returns();
}

}  // namespace offloop::ops
