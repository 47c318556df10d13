#include "platform/image.hpp"

#if defined(_WIN32)

#include <windows.h>

namespace offloop {

void pin_image() noexcept {
  constexpr DWORD kHow = GET_MODULE_HANDLE_EX_FLAG_PIN | GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS;
  HMODULE self = nullptr;
  GetModuleHandleExW(kHow, reinterpret_cast<LPCWSTR>(&pin_image), &self);
}

void* host_symbol(const char* name) noexcept {
  return reinterpret_cast<void*>(GetProcAddress(GetModuleHandleW(nullptr), name));
}

}  // namespace offloop

#endif
