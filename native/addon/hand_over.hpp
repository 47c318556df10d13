// Memory of our own that becomes JavaScript's, and text of JavaScript's in memory of our own. Thread: the loop's.
#pragma once

#include <napi.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>

namespace offloop {

/// Bytes are handed over from this size on; below, a copy is cheaper than a finalizer.
inline constexpr size_t kHandOverBytes = 64 * 1024;

/// A Buffer of bytes from malloc, whose memory is the host's from now on, whatever comes of it. nullptr: they are too
/// many for a Buffer, or there is no memory; an exception may be pending then.
inline napi_value hand_over(napi_env env, uint8_t* memory, size_t size) noexcept {
  napi_value buffer = nullptr;
  if (size >= kHandOverBytes) {
    auto free_bytes = [](napi_env, void* data, void*) { std::free(data); };
    const napi_status status = napi_create_external_buffer(env, size, memory, free_bytes, nullptr, &buffer);
    // What it could not make a Buffer of, the host gives back itself.
    if (status == napi_ok || status == napi_generic_failure) return buffer;
  }
  // Small, or the host (Electron) allows no external memory.
  napi_create_buffer_copy(env, size, memory, nullptr, &buffer);
  std::free(memory);
  return buffer;
}

/// JavaScript is called again after a value that could not be made, and must not find why.
inline void forget_exception(napi_env env) noexcept {
  napi_value thrown = nullptr;
  bool pending = false;
  if (napi_is_exception_pending(env, &pending) == napi_ok && pending) napi_get_and_clear_last_exception(env, &thrown);
}

/// The UTF-8 of a string, in memory that `allocate(bytes)` returns; a NUL stands behind it. nullptr: it returned none, or it is
/// no string.
template <class Allocate>
uint8_t* copy_text(napi_env env, napi_value string, size_t& size, Allocate&& allocate) {
  size = 0;
  if (napi_get_value_string_utf8(env, string, nullptr, 0, &size) != napi_ok) return nullptr;
  auto* const copy = static_cast<uint8_t*>(allocate(size + 1));
  if (copy) napi_get_value_string_utf8(env, string, reinterpret_cast<char*>(copy), size + 1, &size);
  return copy;
}

}  // namespace offloop
