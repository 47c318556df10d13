// The arguments of a call from JavaScript, which has checked their types.
#pragma once

#include <napi.h>

#include <cstdint>
#include <span>

#include "addon/environment.hpp"

namespace offloop {

/// Raw, for the paths where every nanosecond counts.
template <size_t N>
class Arguments {
 public:
  Arguments(napi_env env, napi_callback_info info) noexcept : env_(env) {
    size_t count = N;
    void* data = nullptr;
    napi_get_cb_info(env, info, &count, values, nullptr, &data);
    environment = static_cast<Environment*>(data);
  }

  uint32_t uint32(size_t i) const noexcept {
    uint32_t number = 0;
    napi_get_value_uint32(env_, values[i], &number);
    return number;
  }
  int64_t integer(size_t i) const noexcept {
    int64_t number = 0;
    napi_get_value_int64(env_, values[i], &number);
    return number;
  }
  double number(size_t i) const noexcept {
    double number = 0;
    napi_get_value_double(env_, values[i], &number);
    return number;
  }
  bool boolean(size_t i) const noexcept {
    bool is = false;
    napi_get_value_bool(env_, values[i], &is);
    return is;
  }
  /// Of a Uint8Array; none if its buffer is detached.
  std::span<uint8_t> bytes(size_t i) const noexcept {
    void* data = nullptr;
    size_t length = 0;
    napi_get_typedarray_info(env_, values[i], nullptr, &length, &data, nullptr, nullptr);
    return {static_cast<uint8_t*>(data), data ? length : 0};
  }

  napi_value values[N];
  Environment* environment;

 private:
  const napi_env env_;
};

inline napi_value to_value(napi_env env, bool is) noexcept {
  napi_value value = nullptr;
  napi_get_boolean(env, is, &value);
  return value;
}
inline napi_value to_value(napi_env env, int32_t number) noexcept {
  napi_value value = nullptr;
  napi_create_int32(env, number, &value);
  return value;
}
inline napi_value to_value(napi_env env, double number) noexcept {
  napi_value value = nullptr;
  napi_create_double(env, number, &value);
  return value;
}

}  // namespace offloop
