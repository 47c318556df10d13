#include "addon/primitives.hpp"

#include <cerrno>

#include "addon/arguments.hpp"
#include "base/cpu.hpp"

namespace offloop {

void Primitives::end() noexcept {
  waits_.reset();
  wakes_.clear();
  for (Descriptor socket : sockets_) close_socket(socket);
  sockets_.clear();
}

Waits& Primitives::waits() {
  if (!waits_) waits_ = std::make_unique<Waits>(environment_.open_signal());
  return *waits_;
}

WakeEnd& Primitives::open_wake(std::shared_ptr<SharedWake> wake) {
  auto signal = environment_.open_signal();
  const uint32_t number = signal->slot;
  auto& end = wakes_[number];
  end = std::make_unique<WakeEnd>(std::move(wake), std::move(signal));
  return *end;
}

void Primitives::close_wake(uint32_t number) noexcept {
  const auto at = wakes_.find(number);
  environment_.close_signal(at->second->signal());
  wakes_.erase(at);
}

int Primitives::connect(const char* address, uint16_t port, Descriptor& socket) noexcept {
  if (int error = connect_socket(address, port, socket)) return error;
  try {
    sockets_.insert(socket);
  } catch (const std::bad_alloc&) {
    close_socket(socket);
    return ENOMEM;
  }
  return 0;
}

void Primitives::close(Descriptor socket) noexcept {
  if (sockets_.erase(socket)) close_socket(socket);
}

namespace {

/// What JavaScript hears: a result that is not negative, or the negative errno.
double answer(int error, double result) noexcept { return error ? -error : result; }

int64_t due_in(double ms) noexcept {
  const double due = static_cast<double>(steady_ns()) + ms * 1e6;
  return due < 9.2e18 ? static_cast<int64_t>(due) : Timer::kNever;  // what no integer holds is far enough away
}

/// beginWait(fd, interest, kind, ms) -> number, or a negative errno
napi_value begin_wait(napi_env env, napi_callback_info info) {
  const Arguments<4> arguments(env, info);
  const double fd = arguments.number(0);
  const auto descriptor = fd < 0 ? std::nullopt : std::optional(static_cast<Descriptor>(fd));
  uint32_t number = 0;
  int error = ENOMEM;
  try {
    Waits& waits = arguments.environment->primitives().waits();
    error = waits.begin(descriptor, static_cast<Interest>(arguments.uint32(1)),
                        static_cast<Waits::Kind>(arguments.uint32(2)), due_in(arguments.number(3)), number);
  } catch (const std::bad_alloc&) {
    // said above
  }
  return to_value(env, answer(error, number));
}

/// waitAgain(number, interest) -> 0 or a negative errno
napi_value wait_again(napi_env env, napi_callback_info info) {
  const Arguments<2> arguments(env, info);
  Waits& waits = arguments.environment->primitives().waits();
  return to_value(env, answer(waits.again(arguments.uint32(0), static_cast<Interest>(arguments.uint32(1))), 0));
}

/// endWait(number)
napi_value end_wait(napi_env env, napi_callback_info info) {
  const Arguments<1> arguments(env, info);
  arguments.environment->primitives().waits().end(arguments.uint32(0));
  return nullptr;
}

/// takeWaits(events) -> how many there are; of each, the number and what has come
napi_value take_waits(napi_env env, napi_callback_info info) {
  const Arguments<1> arguments(env, info);
  const auto bytes = arguments.bytes(0);
  const std::span events(reinterpret_cast<Waits::Event*>(bytes.data()), bytes.size() / sizeof(Waits::Event));
  return to_value(env, static_cast<double>(arguments.environment->primitives().waits().take(events)));
}

/// waitsSignal() -> the number of the signal that says that there is something to take
Napi::Value waits_signal(const Napi::CallbackInfo& info) {
  auto* environment = static_cast<Environment*>(info.Data());
  return Napi::Number::New(info.Env(), environment->primitives().waits().signal());
}

/// reactorWakeUps() -> how often the reactor's thread has been woken
napi_value reactor_wake_ups(napi_env env, napi_callback_info) {
  return to_value(env, static_cast<double>(Reactor::shared().wake_ups()));
}

/// openWake(number of the wake, or 0 for a new one) -> [number of the wake, number of its signal], or undefined
Napi::Value open_wake(const Napi::CallbackInfo& info) {
  auto* environment = static_cast<Environment*>(info.Data());
  const int64_t number = info[0].As<Napi::Number>().Int64Value();
  auto wake = number ? SharedWake::find(static_cast<uint64_t>(number)) : SharedWake::open();
  if (!wake) return info.Env().Undefined();
  auto numbers = Napi::Array::New(info.Env(), 2);
  numbers[0u] = static_cast<double>(wake->number());
  numbers[1u] = environment->primitives().open_wake(std::move(wake)).signal().slot;
  return numbers;
}

napi_value ring_wake(napi_env env, napi_callback_info info) {
  const Arguments<1> arguments(env, info);
  arguments.environment->primitives().wake(arguments.uint32(0)).wake().ring();
  return nullptr;
}

/// lookAtWake(signal) -> whether it was rung since the last look
napi_value look_at_wake(napi_env env, napi_callback_info info) {
  const Arguments<1> arguments(env, info);
  auto& end = arguments.environment->primitives().wake(arguments.uint32(0));
  return to_value(env, end.wake().look(end));
}

/// wakeCounts(signal) -> [rings, wake-ups]
Napi::Value wake_counts(const Napi::CallbackInfo& info) {
  auto* environment = static_cast<Environment*>(info.Data());
  const auto counts = environment->primitives().wake(info[0].As<Napi::Number>().Uint32Value()).wake().counts();
  auto numbers = Napi::Array::New(info.Env(), 2);
  numbers[0u] = static_cast<double>(counts.rings);
  numbers[1u] = static_cast<double>(counts.wake_ups);
  return numbers;
}

napi_value close_wake(napi_env env, napi_callback_info info) {
  const Arguments<1> arguments(env, info);
  arguments.environment->primitives().close_wake(arguments.uint32(0));
  return nullptr;
}

/// connect(address, port) -> descriptor, or a negative errno
Napi::Value connect(const Napi::CallbackInfo& info) {
  auto* environment = static_cast<Environment*>(info.Data());
  const std::string address = info[0].As<Napi::String>();
  const auto port = static_cast<uint16_t>(info[1].As<Napi::Number>().Uint32Value());
  Descriptor socket{};
  const int error = environment->primitives().connect(address.c_str(), port, socket);
  return Napi::Number::New(info.Env(), answer(error, static_cast<double>(socket)));
}

/// socketError(fd) -> 0 or a negative errno
napi_value socket_error(napi_env env, napi_callback_info info) {
  const Arguments<1> arguments(env, info);
  return to_value(env, answer(offloop::socket_error(static_cast<Descriptor>(arguments.integer(0))), 0));
}

/// send(fd, bytes) -> how many were taken, or a negative errno
napi_value send(napi_env env, napi_callback_info info) {
  const Arguments<2> arguments(env, info);
  const auto bytes = arguments.bytes(1);
  size_t done = 0;
  const int error = send_some(static_cast<Descriptor>(arguments.integer(0)), bytes.data(), bytes.size(), done);
  return to_value(env, answer(error, static_cast<double>(done)));
}

/// receive(fd, bytes) -> how many there are now, or a negative errno
napi_value receive(napi_env env, napi_callback_info info) {
  const Arguments<2> arguments(env, info);
  const auto bytes = arguments.bytes(1);
  size_t done = 0;
  const int error = receive_some(static_cast<Descriptor>(arguments.integer(0)), bytes.data(), bytes.size(), done);
  return to_value(env, answer(error, static_cast<double>(done)));
}

/// shutdown(fd) -> 0 or a negative errno
napi_value shutdown(napi_env env, napi_callback_info info) {
  const Arguments<1> arguments(env, info);
  return to_value(env, answer(end_sending(static_cast<Descriptor>(arguments.integer(0))), 0));
}

napi_value close(napi_env env, napi_callback_info info) {
  const Arguments<1> arguments(env, info);
  arguments.environment->primitives().close(static_cast<Descriptor>(arguments.integer(0)));
  return nullptr;
}

}  // namespace

void export_primitives(Napi::Object& exports, Environment& environment) {
  const Napi::Env env = exports.Env();
  auto add = [&](const char* name, napi_callback callback) {
    napi_value function = nullptr;
    napi_create_function(env, name, NAPI_AUTO_LENGTH, callback, &environment, &function);
    exports[name] = Napi::Value(env, function);
  };
  add("beginWait", begin_wait);
  add("waitAgain", wait_again);
  add("endWait", end_wait);
  add("takeWaits", take_waits);
  add("reactorWakeUps", reactor_wake_ups);
  add("ringWake", ring_wake);
  add("lookAtWake", look_at_wake);
  add("closeWake", close_wake);
  add("socketError", socket_error);
  add("send", send);
  add("receive", receive);
  add("shutdown", shutdown);
  add("close", close);
  exports["waitsSignal"] = Napi::Function::New(env, waits_signal, "waitsSignal", &environment);
  exports["openWake"] = Napi::Function::New(env, open_wake, "openWake", &environment);
  exports["wakeCounts"] = Napi::Function::New(env, wake_counts, "wakeCounts", &environment);
  exports["connect"] = Napi::Function::New(env, connect, "connect", &environment);
}

}  // namespace offloop
