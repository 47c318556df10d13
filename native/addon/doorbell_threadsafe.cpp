// The doorbell of hosts whose libuv is not libuv (Bun, Deno): one ThreadSafeFunction.
#include "addon/doorbell.hpp"

namespace offloop {
namespace {

class ThreadsafeDoorbell final : public Doorbell {
 public:
  ThreadsafeDoorbell(napi_env env, Listener& listener) : env_(env), listener_(listener) {
    napi_value name = nullptr;
    napi_value global = nullptr;
    napi_value set_immediate = nullptr;
    napi_value answer_now = nullptr;
    // Taken now: tests like to replace the global with a clock of their own.
    const bool ready = napi_get_global(env, &global) == napi_ok &&
                       napi_get_named_property(env, global, "setImmediate", &set_immediate) == napi_ok &&
                       napi_create_reference(env, set_immediate, 1, &set_immediate_) == napi_ok &&
                       napi_create_function(env, nullptr, 0, answer_next_turn, this, &answer_now) == napi_ok &&
                       napi_create_reference(env, answer_now, 1, &answer_) == napi_ok &&
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
    napi_value global = nullptr;
    napi_value set_immediate = nullptr;
    napi_value answer_now = nullptr;
    const bool set = napi_get_global(env_, &global) == napi_ok &&
                     napi_get_reference_value(env_, set_immediate_, &set_immediate) == napi_ok &&
                     napi_get_reference_value(env_, answer_, &answer_now) == napi_ok &&
                     napi_call_function(env_, global, set_immediate, 1, &answer_now, nullptr) == napi_ok;
    if (!set) ring();
  }

  bool tells_idle() const noexcept override { return false; }

  void hold(bool alive) noexcept override {
    alive ? napi_ref_threadsafe_function(env_, function_) : napi_unref_threadsafe_function(env_, function_);
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
    bell.listener_.on_exit();
    napi_delete_reference(bell.env_, bell.answer_);
    napi_delete_reference(bell.env_, bell.set_immediate_);
    bell.listener_.on_closed();
  }
  static void answer(napi_env env, napi_value, void* self, void*) {
    if (env) static_cast<ThreadsafeDoorbell*>(self)->listener_.on_ring();
  }

  static napi_value answer_next_turn(napi_env env, napi_callback_info info) {
    void* self = nullptr;
    napi_get_cb_info(env, info, nullptr, nullptr, nullptr, &self);
    static_cast<ThreadsafeDoorbell*>(self)->listener_.on_ring();
    return nullptr;
  }

  const napi_env env_;
  Listener& listener_;
  napi_ref set_immediate_ = nullptr;
  napi_ref answer_ = nullptr;
  napi_threadsafe_function function_ = nullptr;
};

}  // namespace

std::unique_ptr<Doorbell> open_threadsafe_doorbell(napi_env env, Listener& listener) {
  return std::make_unique<ThreadsafeDoorbell>(env, listener);
}

}  // namespace offloop
