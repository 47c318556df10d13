#include "addon/doorbell.hpp"

namespace offloop {

std::unique_ptr<Doorbell> Doorbell::open(napi_env env, Kind kind, Listener& listener) {
  return kind == Kind::loop ? open_loop_doorbell(env, listener) : open_threadsafe_doorbell(env, listener);
}

bool report_exception(napi_env env) noexcept {
  bool pending = false;
  napi_value error = nullptr;
  if (napi_is_exception_pending(env, &pending) != napi_ok || !pending) return false;
  if (napi_get_and_clear_last_exception(env, &error) != napi_ok) return false;
  return napi_fatal_exception(env, error) == napi_ok;
}

}  // namespace offloop
