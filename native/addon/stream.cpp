#include "addon/stream.hpp"

#include <memory>
#include <new>

#include "offloop/stage.hpp"

namespace offloop {
namespace {

using State = std::unique_ptr<Stage>;
using Share = std::shared_ptr<State>;

}  // namespace

Napi::Value make_stream(Napi::Env env) {
  auto share = std::make_unique<Share>(std::make_shared<State>());
  const auto stream = Napi::External<Share>::New(env, share.get(), [](Napi::Env, Share* last) { delete last; });
  share.release();
  return stream;
}

void drop_stream(napi_env env, napi_value stream) noexcept {
  void* share = nullptr;
  if (napi_get_value_external(env, stream, &share) == napi_ok) static_cast<Share*>(share)->reset();
}

void join_stream(napi_env env, napi_value stream, Task& task) {
  void* from = nullptr;
  if (napi_get_value_external(env, stream, &from) != napi_ok) return;
  auto* share = new (task.scratch(sizeof(Share))) Share();
  task.at_recycle([](void* last) noexcept { static_cast<Share*>(last)->~Share(); }, share);
  *share = *static_cast<Share*>(from);
  task.extras()->state = share->get();
}

}  // namespace offloop
