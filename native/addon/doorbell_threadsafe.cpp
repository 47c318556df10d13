// The doorbell of hosts whose libuv is not libuv (Bun, Deno): one ThreadSafeFunction.
#include <algorithm>
#include <initializer_list>

#include "addon/doorbell.hpp"
#include "core/timer.hpp"

namespace offloop {
namespace {

/// Longer timers go off at once.
constexpr int64_t kLongestMs = INT32_MAX;

class ThreadsafeDoorbell final : public Doorbell {
 public:
  ThreadsafeDoorbell(napi_env env, Listener& listener) : env_(env), listener_(listener) {
    napi_value name = nullptr;
    napi_value kept = nullptr;
    const bool ready = napi_create_object(env, &kept) == napi_ok &&
                       napi_create_reference(env, kept, 1, &kept_) == napi_ok && keep_global(kept, "setImmediate") &&
                       keep_global(kept, "setTimeout") && keep_global(kept, "clearTimeout") &&
                       keep_function(kept, "onRing", answer_next_turn) && keep_function(kept, "onTimer", go_off) &&
                       napi_create_string_utf8(env, "offloop", NAPI_AUTO_LENGTH, &name) == napi_ok &&
                       napi_create_threadsafe_function(env, nullptr, nullptr, name, 0, 1, nullptr, nullptr, this,
                                                       answer, &function_) == napi_ok &&
                       napi_add_env_cleanup_hook(env, exit, this) == napi_ok;
    if (!ready) throw Napi::Error::New(env, "offloop: the runtime refused a thread-safe function");
    napi_unref_threadsafe_function(env, function_);
  }

  void ring() noexcept override { napi_call_threadsafe_function(function_, nullptr, napi_tsfn_nonblocking); }

  /// Not by ringing: Node answers up to a thousand rings before it looks at anything else.
  void ring_next_turn() noexcept override {
    if (!call_kept("setImmediate", {kept("onRing")})) ring();
  }

  bool tells_idle() const noexcept override { return false; }

  void hold(bool alive) noexcept override {
    alive ? napi_ref_threadsafe_function(env_, function_) : napi_unref_threadsafe_function(env_, function_);
  }

  void set_timer(int64_t delay_ns) noexcept override {
    if (delay_ns == Timer::kNever && !timer_set_) return;
    napi_handle_scope scope = nullptr;
    if (napi_open_handle_scope(env_, &scope) != napi_ok) return;
    napi_value timer = nullptr;
    napi_value ms = nullptr;
    if (timer_set_) call_kept("clearTimeout", {kept("timer")});
    timer_set_ = delay_ns != Timer::kNever &&
                 napi_create_int64(env_, std::min(timer_ms(delay_ns), kLongestMs), &ms) == napi_ok &&
                 (timer = call_kept("setTimeout", {kept("onTimer"), ms})) &&
                 napi_set_named_property(env_, kept(), "timer", timer) == napi_ok;
    napi_close_handle_scope(env_, scope);
  }

  bool call(napi_value function, size_t count, const napi_value* arguments) noexcept override {
    // The host has opened a callback scope around us; microtasks run when it closes.
    napi_value receiver = nullptr;
    if (napi_get_global(env_, &receiver) != napi_ok) return false;
    const napi_status status = napi_call_function(env_, receiver, function, count, arguments, nullptr);
    return status == napi_ok || (status == napi_pending_exception && report_exception(env_));
  }

 private:
  /// The host finalizes the function with its environment; releasing it from here is what crashes before Node 24.14.
  static void exit(void* self) {
    auto& bell = *static_cast<ThreadsafeDoorbell*>(self);
    bell.timer_set_ = false;  // it will not go off any more, and no function can be called to clear it
    bell.listener_.on_exit();
    napi_delete_reference(bell.env_, bell.kept_);
    bell.listener_.on_closed();
  }
  static void answer(napi_env env, napi_value, void* self, void*) {
    if (env) static_cast<ThreadsafeDoorbell*>(self)->listener_.on_ring();
  }

  static napi_value answer_next_turn(napi_env env, napi_callback_info info) {
    self(env, info).listener_.on_ring();
    return nullptr;
  }
  static napi_value go_off(napi_env env, napi_callback_info info) {
    self(env, info).timer_set_ = false;
    self(env, info).listener_.on_timer();
    return nullptr;
  }
  static ThreadsafeDoorbell& self(napi_env env, napi_callback_info info) {
    void* self = nullptr;
    napi_get_cb_info(env, info, nullptr, nullptr, nullptr, &self);
    return *static_cast<ThreadsafeDoorbell*>(self);
  }

  /// Taken when the doorbell is made: tests like to replace the globals with a clock of their own.
  bool keep_global(napi_value kept, const char* name) noexcept {
    napi_value global = nullptr;
    napi_value function = nullptr;
    return napi_get_global(env_, &global) == napi_ok &&
           napi_get_named_property(env_, global, name, &function) == napi_ok &&
           napi_set_named_property(env_, kept, name, function) == napi_ok;
  }
  bool keep_function(napi_value kept, const char* name, napi_callback callback) noexcept {
    napi_value function = nullptr;
    return napi_create_function(env_, nullptr, 0, callback, this, &function) == napi_ok &&
           napi_set_named_property(env_, kept, name, function) == napi_ok;
  }
  napi_value kept() noexcept {
    napi_value kept = nullptr;
    napi_get_reference_value(env_, kept_, &kept);
    return kept;
  }
  napi_value kept(const char* name) noexcept {
    napi_value value = nullptr;
    napi_get_named_property(env_, kept(), name, &value);
    return value;
  }
  /// nullptr: it could not be called.
  napi_value call_kept(const char* name, std::initializer_list<napi_value> arguments) noexcept {
    napi_value global = nullptr;
    napi_value result = nullptr;
    napi_get_global(env_, &global);
    napi_call_function(env_, global, kept(name), arguments.size(), arguments.begin(), &result);
    return result;
  }

  const napi_env env_;
  Listener& listener_;
  napi_ref kept_ = nullptr;  // an object: functions of the host and of ours, and the timer that is set
  bool timer_set_ = false;
  napi_threadsafe_function function_ = nullptr;
};

}  // namespace

std::unique_ptr<Doorbell> open_threadsafe_doorbell(napi_env env, Listener& listener) {
  return std::make_unique<ThreadsafeDoorbell>(env, listener);
}

}  // namespace offloop
