#include <memory>

#include "job.hpp"
#include "peers.hpp"

namespace {

struct Work : Job {
  napi_async_work handle = nullptr;
};

void execute(napi_env env, void* data) { run_body(static_cast<Work*>(data)); }

void complete(napi_env env, napi_status status, void* data) {
  const std::unique_ptr<Work> work(static_cast<Work*>(data));
  napi_delete_async_work(env, work->handle);
  resolve(env, work.get());
}

template <Kind kind>
napi_value submit(napi_env env, napi_callback_info info) {
  auto work = std::make_unique<Work>();
  work->kind = kind;
  if (!read_input(env, info, work.get())) return nullptr;

  napi_value promise = nullptr;
  napi_value resource_name = nullptr;
  napi_create_promise(env, &work->deferred, &promise);
  napi_create_string_utf8(env, "peer", 4, &resource_name);
  napi_create_async_work(env, nullptr, resource_name, execute, complete, work.get(), &work->handle);
  napi_queue_async_work(env, work.release()->handle);
  return promise;
}

}  // namespace

napi_value make_async_work(napi_env env) {
  const napi_property_descriptor methods[] = {
      {"noop", nullptr, submit<Kind::noop>, nullptr, nullptr, nullptr, napi_enumerable, nullptr},
      {"copy", nullptr, submit<Kind::copy>, nullptr, nullptr, nullptr, napi_enumerable, nullptr},
      {"sha256", nullptr, submit<Kind::sha256>, nullptr, nullptr, nullptr, napi_enumerable, nullptr},
  };
  napi_value peer = nullptr;
  napi_create_object(env, &peer);
  napi_define_properties(env, peer, 3, methods);
  return peer;
}
