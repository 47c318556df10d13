#include "job.hpp"

#include <cstring>

bool read_input(napi_env env, napi_callback_info info, Job* job) {
  if (job->kind == Kind::noop) return true;

  std::size_t argc = 1;
  napi_value input = nullptr;
  void* data = nullptr;
  std::size_t size = 0;
  napi_get_cb_info(env, info, &argc, &input, nullptr, nullptr);
  if (napi_get_buffer_info(env, input, &data, &size) != napi_ok) {
    napi_throw_type_error(env, "ERR_INVALID_ARG_TYPE", "bytes must be a Buffer or a Uint8Array");
    return false;
  }

  if (job->kind == Kind::sha256) {
    job->borrowed = static_cast<const std::uint8_t*>(data);
    job->borrowed_size = size;
    return napi_create_reference(env, input, 1, &job->pinned_input) == napi_ok;
  }
  if (size != kSmallInput) {
    napi_throw_range_error(env, "ERR_OUT_OF_RANGE", "bytes must be 64 bytes long");
    return false;
  }
  std::memcpy(job->small.data(), data, kSmallInput);
  return true;
}

void run_body(Job* job) noexcept {
  switch (job->kind) {
    case Kind::noop:
      peer_noop();
      break;
    case Kind::copy:
      peer_copy(job->small.data(), job->output.data());
      break;
    case Kind::sha256:
      peer_sha256(job->borrowed, job->borrowed_size, job->output.data());
      break;
  }
}

void resolve(napi_env env, Job* job) {
  napi_value result = nullptr;
  if (job->kind == Kind::noop) {
    napi_get_undefined(env, &result);
  } else {
    napi_create_buffer_copy(env, kOutput, job->output.data(), nullptr, &result);
  }
  if (job->pinned_input != nullptr) napi_delete_reference(env, job->pinned_input);
  napi_resolve_deferred(env, job->deferred, result);
}
