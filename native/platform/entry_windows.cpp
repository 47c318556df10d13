#if defined(_WIN32) && defined(__MINGW32__)

// What the addon needs where node-gyp does not build it: CMakeLists.txt makes offloop_entry its entry point.
#include <windows.h>
//
#include <delayimp.h>

extern "C" BOOL WINAPI DllMainCRTStartup(HINSTANCE image, DWORD reason, LPVOID reserved);

/// When the process ends, its other threads have been ended wherever they were, and what they had locked stays locked. The
/// C++ library would tear itself down now, and wait for them (libstdc++ deletes the key of a thread's exceptions).
extern "C" BOOL WINAPI offloop_entry(HINSTANCE image, DWORD reason, LPVOID reserved) {
  const bool process_ends = reason == DLL_PROCESS_DETACH && reserved;
  return process_ends ? TRUE : DllMainCRTStartup(image, reason, reserved);
}

namespace {

/// The addon looks for Node-API in node.exe, but the host may have another name.
FARPROC WINAPI find_host(unsigned event, DelayLoadInfo* info) {
  if (event != dliNotePreLoadLibrary || lstrcmpiA(info->szDll, "node.exe") != 0) return nullptr;
  return reinterpret_cast<FARPROC>(GetModuleHandleW(nullptr));
}

}  // namespace

extern "C" {
PfnDliHook __pfnDliNotifyHook2 = find_host;
}

#endif
