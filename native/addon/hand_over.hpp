// Memory of our own that becomes JavaScript's, and text of JavaScript's in memory of our own. Thread: the loop's.
#pragma once

#include <napi.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>

namespace offloop {

/// Bytes are handed over from this size on; below, a copy is cheaper than a finalizer.
inline constexpr size_t kHandOverBytes = 64 * 1024;

/// A Buffer over memory from malloc, which is freed with it. nullptr: the memory is still the caller's, because there is too
/// little of it, or the host (Electron) allows no external memory: copy it.
inline napi_value hand_over(napi_env env, uint8_t* memory, size_t size) noexcept {
  if (size < kHandOverBytes) return nullptr;
  napi_value buffer = nullptr;
  auto free_bytes = [](napi_env, void* data, void*) { std::free(data); };
  const bool taken = napi_create_external_buffer(env, size, memory, free_bytes, nullptr, &buffer) == napi_ok;
  return taken ? buffer : nullptr;
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
