// The doorbell of Node: on libuv's loop itself.
//
// libuv's functions are looked up in the host by name, since uv.h does not come with Node-API's headers. Only handles
// that libuv promises to keep compatible are used, through its accessors.
#include <cstdlib>

#include "addon/doorbell.hpp"
#include "core/timer.hpp"
#include "platform/image.hpp"

namespace offloop {
namespace {

struct uv_handle_t;  // libuv's handles, opaque here
using uv_close_cb = void (*)(uv_handle_t*);
using uv_handle_cb = void (*)(uv_handle_t*);

/// libuv's uv_handle_type.
constexpr int kUvAsync = 1;
constexpr int kUvPrepare = 9;
constexpr int kUvTimer = 13;

struct Uv {
  size_t (*handle_size)(int type);
  void (*handle_set_data)(uv_handle_t*, void*);
  void* (*handle_get_data)(const uv_handle_t*);
  int (*async_init)(uv_loop_s*, uv_handle_t*, uv_handle_cb);
  int (*async_send)(uv_handle_t*);
  int (*prepare_init)(uv_loop_s*, uv_handle_t*);
  int (*prepare_start)(uv_handle_t*, uv_handle_cb);
  int (*timer_init)(uv_loop_s*, uv_handle_t*);
  int (*timer_start)(uv_handle_t*, uv_handle_cb, uint64_t timeout_ms, uint64_t repeat_ms);
  int (*timer_stop)(uv_handle_t*);
  void (*ref)(uv_handle_t*);
  void (*unref)(uv_handle_t*);
  void (*close)(uv_handle_t*, uv_close_cb);

  static const Uv* find() {
    static const Uv uv = [] {
      Uv it{};
      look_up(it.handle_size, "uv_handle_size");
      look_up(it.handle_set_data, "uv_handle_set_data");
      look_up(it.handle_get_data, "uv_handle_get_data");
      look_up(it.async_init, "uv_async_init");
      look_up(it.async_send, "uv_async_send");
      look_up(it.prepare_init, "uv_prepare_init");
      look_up(it.prepare_start, "uv_prepare_start");
      look_up(it.timer_init, "uv_timer_init");
      look_up(it.timer_start, "uv_timer_start");
      look_up(it.timer_stop, "uv_timer_stop");
      look_up(it.ref, "uv_ref");
      look_up(it.unref, "uv_unref");
      look_up(it.close, "uv_close");
      return it;
    }();
    const bool complete = uv.handle_size && uv.handle_set_data && uv.handle_get_data && uv.async_init &&
                          uv.async_send && uv.prepare_init && uv.prepare_start && uv.timer_init && uv.timer_start &&
                          uv.timer_stop && uv.ref && uv.unref && uv.close;
    return complete ? &uv : nullptr;
  }

 private:
  template <class Function>
  static void look_up(Function& function, const char* name) {
    function = reinterpret_cast<Function>(host_symbol(name));
  }
};

class LoopDoorbell final : public Doorbell {
 public:
  LoopDoorbell(napi_env env, const Uv& uv, Listener& listener) : env_(env), uv_(uv), listener_(listener) {
    uv_loop_s* loop = nullptr;
    napi_value resource = nullptr;
    napi_value name = nullptr;
    const bool ready = napi_get_uv_event_loop(env, &loop) == napi_ok && napi_create_object(env, &resource) == napi_ok &&
                       napi_create_string_utf8(env, "offloop", NAPI_AUTO_LENGTH, &name) == napi_ok &&
                       napi_async_init(env, resource, name, &context_) == napi_ok &&
                       napi_create_reference(env, resource, 1, &resource_) == napi_ok;
    if (!ready) throw Napi::Error::New(env, "offloop: the runtime refused an async context");
    async_ = allocate(kUvAsync);
    prepare_ = allocate(kUvPrepare);
    timer_ = allocate(kUvTimer);
    if (uv_.async_init(loop, async_, [](uv_handle_t* handle) { self(handle).listener_.on_ring(); }) != 0) {
      for (uv_handle_t* handle : {async_, prepare_, timer_}) std::free(handle);
      throw Napi::Error::New(env, "offloop: the event loop refused a wake handle (out of file descriptors?)");
    }
    uv_.prepare_init(loop, prepare_);
    uv_.prepare_start(prepare_, [](uv_handle_t* handle) { self(handle).listener_.on_idle(); });
    uv_.timer_init(loop, timer_);
    for (uv_handle_t* handle : {async_, prepare_, timer_}) {
      uv_.handle_set_data(handle, this);
      uv_.unref(handle);
    }
    if (napi_add_async_cleanup_hook(env, exit, this, nullptr) != napi_ok) {
      throw Napi::Error::New(env, "offloop: the runtime refused a cleanup hook");
    }
  }

  void ring() noexcept override { uv_.async_send(async_); }

  void ring_next_turn() noexcept override { ring(); }

  bool tells_idle() const noexcept override { return true; }

  void hold(bool alive) noexcept override { alive ? uv_.ref(async_) : uv_.unref(async_); }

  void set_timer(int64_t delay_ns) noexcept override {
    if (delay_ns == Timer::kNever) {
      uv_.timer_stop(timer_);
    } else {
      const auto go_off = [](uv_handle_t* handle) { self(handle).listener_.on_timer(); };
      uv_.timer_start(timer_, go_off, static_cast<uint64_t>(timer_ms(delay_ns)), 0);
    }
  }

  bool call(napi_value function, size_t count, const napi_value* arguments) noexcept override {
    napi_value receiver = nullptr;
    if (napi_get_reference_value(env_, resource_, &receiver) != napi_ok) return false;
    const napi_status status = napi_make_callback(env_, context_, receiver, function, count, arguments, nullptr);
    return status == napi_ok || (status == napi_pending_exception && report_exception(env_));
  }

 private:
  /// The hook is asynchronous: libuv closes handles in the loop's next turn, and the environment waits for it.
  static void exit(napi_async_cleanup_hook_handle hook, void* raw) {
    auto& bell = *static_cast<LoopDoorbell*>(raw);
    bell.listener_.on_exit();
    bell.hook_ = hook;
    napi_delete_reference(bell.env_, bell.resource_);
    napi_async_destroy(bell.env_, bell.context_);
    for (uv_handle_t* handle : {bell.async_, bell.prepare_, bell.timer_}) bell.uv_.close(handle, closed);
  }
  static void closed(uv_handle_t* handle) {
    LoopDoorbell& bell = self(handle);
    std::free(handle);
    if (++bell.handles_closed_ < 3) return;
    const napi_async_cleanup_hook_handle hook = bell.hook_;
    bell.listener_.on_closed();
    napi_remove_async_cleanup_hook(hook);
  }

  static LoopDoorbell& self(uv_handle_t* handle) {
    return *static_cast<LoopDoorbell*>(Uv::find()->handle_get_data(handle));
  }
  uv_handle_t* allocate(int type) { return static_cast<uv_handle_t*>(std::calloc(1, uv_.handle_size(type))); }

  const napi_env env_;
  const Uv& uv_;
  Listener& listener_;
  napi_async_context context_ = nullptr;
  napi_ref resource_ = nullptr;
  uv_handle_t* async_ = nullptr;
  uv_handle_t* prepare_ = nullptr;
  uv_handle_t* timer_ = nullptr;
  int handles_closed_ = 0;
  napi_async_cleanup_hook_handle hook_ = nullptr;
};

}  // namespace

std::unique_ptr<Doorbell> open_loop_doorbell(napi_env env, Listener& listener) {
  const Uv* uv = Uv::find();
  if (!uv) return open_threadsafe_doorbell(env, listener);
  return std::make_unique<LoopDoorbell>(env, *uv, listener);
}

}  // namespace offloop
