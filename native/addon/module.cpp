// The addon's exports: what lib/native.ts declares.
#include <napi.h>

#include <algorithm>
#include <thread>

#include "addon/environment.hpp"
#include "addon/layout.hpp"
#include "core/last_orders.hpp"
#include "ops/operations.hpp"
#include "platform/image.hpp"
#include "platform/thread.hpp"

namespace offloop {
namespace {

/// The raw arguments of a call, for the paths where every nanosecond counts. JavaScript has checked their types.
template <size_t N>
struct Arguments {
  napi_value values[N];
  Environment* environment;

  Arguments(napi_env env, napi_callback_info info) noexcept {
    size_t count = N;
    void* data = nullptr;
    napi_get_cb_info(env, info, &count, values, nullptr, &data);
    environment = static_cast<Environment*>(data);
  }
};

uint32_t to_uint32(napi_env env, napi_value value) noexcept {
  uint32_t number = 0;
  napi_get_value_uint32(env, value, &number);
  return number;
}

napi_value flush(napi_env env, napi_callback_info info) {
  Arguments<2> arguments(env, info);
  arguments.environment->flush(to_uint32(env, arguments.values[0]), arguments.values[1]);
  return nullptr;
}

napi_value reserve(napi_env env, napi_callback_info info) {
  Arguments<1> arguments(env, info);
  napi_value done = nullptr;
  napi_get_boolean(env, arguments.environment->reserve(to_uint32(env, arguments.values[0])), &done);
  return done;
}

napi_value trim(napi_env env, napi_callback_info info) {
  Arguments<1> arguments(env, info);
  arguments.environment->trim(to_uint32(env, arguments.values[0]));
  return nullptr;
}

napi_value cancel(napi_env env, napi_callback_info info) {
  Arguments<2> arguments(env, info);
  arguments.environment->cancel(to_uint32(env, arguments.values[0]), to_uint32(env, arguments.values[1]));
  return nullptr;
}

napi_value cancel_all(napi_env env, napi_callback_info info) {
  Arguments<1> arguments(env, info);
  arguments.environment->cancel_all(to_uint32(env, arguments.values[0]));
  return nullptr;
}

napi_value close_pool(napi_env env, napi_callback_info info) {
  Arguments<3> arguments(env, info);
  arguments.environment->close_pool(to_uint32(env, arguments.values[0]), to_uint32(env, arguments.values[1]),
                                    to_uint32(env, arguments.values[2]));
  return nullptr;
}

/// openPool(name, threads, capacity, lingerNs, stackBytes)
Napi::Value open_pool(const Napi::CallbackInfo& info) {
  auto* environment = static_cast<Environment*>(info.Data());
  Pool::Options options;
  options.name = info[0].As<Napi::String>();
  options.threads = info[1].As<Napi::Number>().Uint32Value();
  options.capacity = info[2].As<Napi::Number>().Uint32Value();
  // On one processor a thread that spins only keeps the other from working.
  options.linger_ns = available_parallelism() > 1 ? info[3].As<Napi::Number>().Int64Value() : 0;
  options.stack_bytes = static_cast<size_t>(info[4].As<Napi::Number>().Int64Value());
  return Napi::Number::New(info.Env(), environment->open_pool(std::move(options)));
}

/// counts(pool) -> [queued, running, threads, parked, and for each status how many tasks ended so]
Napi::Value counts(const Napi::CallbackInfo& info) {
  auto* environment = static_cast<Environment*>(info.Data());
  const uint32_t pool = info[0].As<Napi::Number>().Uint32Value();
  const Pool::Counts now = environment->pool(pool).counts();
  auto array = Napi::Array::New(info.Env());
  auto add = [&](double value) { array[array.Length()] = value; };
  add(static_cast<double>(now.queued));
  add(now.running);
  add(now.threads);
  add(now.parked);
  for (uint64_t ended : environment->tally(pool)) add(static_cast<double>(ended));
  return array;
}

/// open(settle, threadsafeDoorbell) -> the rings, and the functions that work on them
Napi::Value open(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  Environment::Shared shared{};
  const auto kind = info[1].ToBoolean() ? Doorbell::Kind::threadsafe : Doorbell::Kind::loop;
  Environment* environment = Environment::open(env, info[0], kind, shared);

  auto exports = Napi::Object::New(env);
  exports["ring"] = Napi::Value(env, shared.ring);
  exports["arena"] = Napi::Value(env, shared.arena);
  exports["completions"] = Napi::Value(env, shared.completions);
  exports["results"] = Napi::Value(env, shared.results);
  exports["inFlight"] = Napi::Value(env, shared.in_flight);
  auto add = [&](const char* name, napi_callback callback) {
    napi_value function = nullptr;
    napi_create_function(env, name, NAPI_AUTO_LENGTH, callback, environment, &function);
    exports[name] = Napi::Value(env, function);
  };
  add("flush", flush);
  add("reserve", reserve);
  add("trim", trim);
  add("cancel", cancel);
  add("cancelAll", cancel_all);
  add("closePool", close_pool);
  exports["openPool"] = Napi::Function::New(env, open_pool, "openPool", environment);
  exports["counts"] = Napi::Function::New(env, counts, "counts", environment);
  return exports;
}

Napi::Array names_of_operations(Napi::Env env) {
  auto names = Napi::Array::New(env);
  for (const Operation& operation : operations()) names[names.Length()] = operation.name;
  return names;
}

Napi::Array names_of_statuses(Napi::Env env) {
  auto names = Napi::Array::New(env);
#define OFFLOOP_ADD_STATUS(name, meaning)  \
  {                                        \
    auto entry = Napi::Array::New(env, 2); \
    entry[0u] = #name;                     \
    entry[1u] = meaning;                   \
    names[names.Length()] = entry;         \
  }
  OFFLOOP_STATUSES(OFFLOOP_ADD_STATUS)
#undef OFFLOOP_ADD_STATUS
  return names;
}

Napi::Object initialize(Napi::Env env, Napi::Object exports) {
  // Once for the process, before the first thread: Node may load the addon for several environments, and unload it under
  // its threads.
  static const bool kInstalled = [] {
    pin_image();
    LastOrders::install();
    return true;
  }();
  (void)kInstalled;
  exports["operations"] = names_of_operations(env);
  exports["statuses"] = names_of_statuses(env);
  exports["parallelism"] = available_parallelism();
  exports["open"] = Napi::Function::New(env, open, "open");
  return exports;
}

}  // namespace
}  // namespace offloop

static Napi::Object initialize_addon(Napi::Env env, Napi::Object exports) { return offloop::initialize(env, exports); }
NODE_API_MODULE(offloop, initialize_addon)
