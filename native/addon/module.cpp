// The addon's exports: what lib/native.ts declares.
#include <napi.h>

#include <algorithm>
#include <span>
#include <thread>

#include "addon/arguments.hpp"
#include "addon/backing_store.hpp"
#include "addon/environment.hpp"
#include "addon/layout.hpp"
#include "addon/queue_exports.hpp"
#include "addon/stream.hpp"
#include "core/last_orders.hpp"
#include "ops/operations.hpp"
#include "platform/image.hpp"
#include "platform/thread.hpp"

namespace offloop {
namespace {

napi_value flush(napi_env env, napi_callback_info info) {
  Arguments<2> arguments(env, info);
  arguments.environment->flush(arguments.uint32(0), arguments.values[1]);
  return nullptr;
}

napi_value reserve(napi_env env, napi_callback_info info) {
  Arguments<1> arguments(env, info);
  return to_value(env, arguments.environment->reserve(arguments.uint32(0)));
}

napi_value trim(napi_env env, napi_callback_info info) {
  Arguments<1> arguments(env, info);
  arguments.environment->trim(arguments.uint32(0));
  return nullptr;
}

napi_value cancel(napi_env env, napi_callback_info info) {
  Arguments<2> arguments(env, info);
  arguments.environment->cancel(arguments.uint32(0), arguments.uint32(1));
  return nullptr;
}

napi_value stop(napi_env env, napi_callback_info info) {
  Arguments<2> arguments(env, info);
  arguments.environment->stop(arguments.uint32(0), arguments.uint32(1));
  return nullptr;
}

napi_value watch(napi_env env, napi_callback_info info) {
  Arguments<2> arguments(env, info);
  arguments.environment->watch(arguments.uint32(0), arguments.uint32(1));
  return nullptr;
}

napi_value is_running(napi_env env, napi_callback_info info) {
  Arguments<2> arguments(env, info);
  return to_value(env, arguments.environment->is_running(arguments.uint32(0), arguments.uint32(1)));
}

napi_value listen(napi_env env, napi_callback_info info) {
  Arguments<1> arguments(env, info);
  arguments.environment->listen(arguments.boolean(0));
  return nullptr;
}

napi_value resize(napi_env env, napi_callback_info info) {
  Arguments<2> arguments(env, info);
  arguments.environment->executor(arguments.uint32(0)).resize(arguments.uint32(1));
  return nullptr;
}

napi_value cancel_all(napi_env env, napi_callback_info info) {
  Arguments<1> arguments(env, info);
  arguments.environment->cancel_all(arguments.uint32(0));
  return nullptr;
}

napi_value end_node_pools(napi_env env, napi_callback_info info) {
  Arguments<1>(env, info).environment->end_node_pools();
  return nullptr;
}

napi_value close_pool(napi_env env, napi_callback_info info) {
  Arguments<3> arguments(env, info);
  arguments.environment->close_pool(arguments.uint32(0), arguments.uint32(1), arguments.uint32(2));
  return nullptr;
}

/// openPool({ name, threads, capacity, overflow, agingNs, lingerNs, stackBytes, exactName? }, shared)
Napi::Value open_pool(const Napi::CallbackInfo& info) {
  auto* environment = static_cast<Environment*>(info.Data());
  const auto from = info[0].As<Napi::Object>();
  const auto number = [&](const char* key) { return from.Get(key).As<Napi::Number>().Int64Value(); };
  Pool::Options options;
  options.name = from.Get("name").As<Napi::String>();
  options.threads = static_cast<uint32_t>(number("threads"));
  options.capacity = static_cast<uint32_t>(number("capacity"));
  options.overflow = static_cast<Overflow>(number("overflow"));
  options.aging_ns = number("agingNs");
  options.linger_ns = number("lingerNs");
  options.stack_bytes = static_cast<size_t>(number("stackBytes"));
  options.exact_name = from.Get("exactName").ToBoolean();
  return Napi::Number::New(info.Env(), environment->open_pool(std::move(options), info[1].ToBoolean()));
}

/// openNodePool(capacity, overflow)
Napi::Value open_node_pool(const Napi::CallbackInfo& info) {
  auto* environment = static_cast<Environment*>(info.Data());
  const auto number = [&](size_t index) { return info[index].As<Napi::Number>().Uint32Value(); };
  const int32_t opened = environment->open_node_pool({number(0), static_cast<Overflow>(number(1))});
  return Napi::Number::New(info.Env(), opened);
}

/// poolOptions(pool) -> what a pool was made with, as openPool takes it
Napi::Value pool_options(const Napi::CallbackInfo& info) {
  auto* environment = static_cast<Environment*>(info.Data());
  const Pool::Options& options = environment->pool_options(info[0].As<Napi::Number>().Uint32Value());
  auto object = Napi::Object::New(info.Env());
  object["name"] = options.name;
  object["threads"] = options.threads;
  object["capacity"] = options.capacity;
  object["overflow"] = static_cast<uint32_t>(options.overflow);
  object["agingNs"] = static_cast<double>(options.aging_ns);
  object["lingerNs"] = static_cast<double>(options.linger_ns);
  object["stackBytes"] = static_cast<double>(options.stack_bytes);
  return object;
}

void set_durations(Napi::Object& object, const char* name, const Histogram::Total& total) {
  auto summary = Napi::Object::New(object.Env());
  summary["count"] = static_cast<double>(total.count());
  summary["min"] = static_cast<double>(total.min());
  summary["max"] = static_cast<double>(total.max());
  summary["mean"] = total.mean();
  static constexpr std::pair<const char*, double> kShares[] = {
      {"p50", 0.5}, {"p75", 0.75}, {"p90", 0.9}, {"p99", 0.99}, {"p999", 0.999}};
  for (const auto& [key, share] : kShares) summary[key] = static_cast<double>(total.percentile(share));
  object[name] = summary;
}

/// counts(pool) -> of the pool now; `ended`: for each status, how many tasks ended so; and its durations
Napi::Value counts(const Napi::CallbackInfo& info) {
  auto* environment = static_cast<Environment*>(info.Data());
  const uint32_t pool = info[0].As<Napi::Number>().Uint32Value();
  const Executor::Counts now = environment->executor(pool).counts();
  auto object = Napi::Object::New(info.Env());
  object["queued"] = static_cast<double>(now.queued);
  object["waiting"] = static_cast<double>(now.waiting);
  object["running"] = now.running;
  object["threads"] = now.threads;
  object["started"] = now.started;
  object["parked"] = now.parked;
  const auto add_array = [&](const char* name, const auto& counts) {
    auto array = Napi::Array::New(info.Env(), counts.size());
    for (uint32_t i = 0; i < counts.size(); ++i) array[i] = static_cast<double>(counts[i]);
    object[name] = array;
  };
  add_array("lanes", now.depth);
  add_array("ended", environment->tally(pool));
  auto times = std::make_unique<Times::Total>();  // 24 KiB
  environment->executor(pool).add_times(*times);
  set_durations(object, "queuedNs", times->queued);
  set_durations(object, "runNs", times->run);
  set_durations(object, "cpuNs", times->cpu);
  return object;
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
  exports["figures"] = Napi::Value(env, shared.figures);
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
  add("stop", stop);
  add("watch", watch);
  add("isRunning", is_running);
  add("listen", listen);
  add("resize", resize);
  add("closePool", close_pool);
  add("endNodePools", end_node_pools);
  exports["openPool"] = Napi::Function::New(env, open_pool, "openPool", environment);
  exports["openNodePool"] = Napi::Function::New(env, open_node_pool, "openNodePool", environment);
  exports["poolOptions"] = Napi::Function::New(env, pool_options, "poolOptions", environment);
  exports["counts"] = Napi::Function::New(env, counts, "counts", environment);
  export_primitives(exports, *environment);
  exports["queues"] = Napi::Function::New(env, queues, "queues", environment);
  return exports;
}

/// pins(isMainThread) -> 'nothing', 'most' or 'all'
Napi::Value pins(const Napi::CallbackInfo& info) {
  static constexpr const char* kNames[] = {"nothing", "most", "all"};
  return Napi::String::New(info.Env(), kNames[static_cast<int>(try_pins(info.Env(), info[0].ToBoolean()))]);
}

/// makeStream() -> what stands for a new stream
Napi::Value make_stream(const Napi::CallbackInfo& info) { return offloop::make_stream(info.Env()); }

/// dropStream(stream)
void drop_stream(const Napi::CallbackInfo& info) { offloop::drop_stream(info.Env(), info[0]); }

Napi::Array names_of(Napi::Env env, std::span<const Operation> operations) {
  auto names = Napi::Array::New(env);
  for (const Operation& operation : operations) names[names.Length()] = operation.name;
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
  exports["operations"] = names_of(env, operations());
  exports["steps"] = names_of(env, steps());
  exports["statuses"] = names_of_statuses(env);
  exports["parallelism"] = available_parallelism();
  exports["poller"] = Poller::kName;
  exports["makeStream"] = Napi::Function::New(env, make_stream, "makeStream");
  exports["dropStream"] = Napi::Function::New(env, drop_stream, "dropStream");
  exports["pins"] = Napi::Function::New(env, pins, "pins");
  exports["open"] = Napi::Function::New(env, open, "open");
  return exports;
}

}  // namespace
}  // namespace offloop

static Napi::Object initialize_addon(Napi::Env env, Napi::Object exports) { return offloop::initialize(env, exports); }
NODE_API_MODULE(offloop, initialize_addon)
