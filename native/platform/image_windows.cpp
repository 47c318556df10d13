#include "platform/image.hpp"

#if defined(_WIN32)

#include <windows.h>
//
#include <delayimp.h>

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

#if defined(__MINGW32__)
namespace {

/// The addon looks for Node-API in node.exe, but the host may have another name. node-gyp has the same for other compilers.
FARPROC WINAPI find_host(unsigned event, DelayLoadInfo* info) {
  if (event != dliNotePreLoadLibrary || lstrcmpiA(info->szDll, "node.exe") != 0) return nullptr;
  return reinterpret_cast<FARPROC>(GetModuleHandleW(nullptr));
}

}  // namespace

extern "C" {
PfnDliHook __pfnDliNotifyHook2 = find_host;
}
#endif

#endif
