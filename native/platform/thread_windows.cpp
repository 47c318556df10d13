#include "platform/thread.hpp"

#if defined(_WIN32)

#include <windows.h>

#include <bit>
#include <cerrno>
#include <memory>

#include "platform/errno_windows.hpp"
#include "platform/wide_windows.hpp"

namespace offloop {
namespace {

struct Start {
  std::wstring name;
  void (*entry)(void*) noexcept;
  void* argument;
};

/// Looked up, since the headers of some compilers and Windows before version 1607 lack it.
void name_this_thread(const std::wstring& name) noexcept {
  using Describe = HRESULT(WINAPI*)(HANDLE, PCWSTR);
  static const auto kDescribe = reinterpret_cast<Describe>(
      reinterpret_cast<void*>(GetProcAddress(GetModuleHandleW(L"kernel32"), "SetThreadDescription")));
  if (kDescribe) kDescribe(GetCurrentThread(), name.c_str());
}

DWORD WINAPI begin(void* raw) {
  std::unique_ptr<Start> start(static_cast<Start*>(raw));
  name_this_thread(start->name);
  auto entry = start->entry;
  void* argument = start->argument;
  start.reset();
  entry(argument);
  return 0;
}

}  // namespace

/// Signals are no matter of threads here. The stack is reserved, not committed.
int start_thread(const std::string& name, size_t stack_bytes, void (*entry)(void*) noexcept, void* argument) noexcept {
  std::unique_ptr<Start> start;
  try {
    start.reset(new Start{to_wide(std::string_view(name).substr(0, kThreadName)), entry, argument});
  } catch (const std::bad_alloc&) {
    return ENOMEM;
  }
  const HANDLE thread =
      CreateThread(nullptr, stack_bytes, begin, start.get(), STACK_SIZE_PARAM_IS_A_RESERVATION, nullptr);
  if (!thread) return last_errno();
  start.release();
  CloseHandle(thread);
  return 0;
}

void rest() noexcept {}  // a sleep lasts until the next tick of the clock, up to 15.6 ms

unsigned available_parallelism() noexcept {
  DWORD_PTR allowed = 0, all = 0;
  GetProcessAffinityMask(GetCurrentProcess(), &allowed, &all);
  // With more than 64 processors the process is in several groups, and the mask says nothing.
  const DWORD count = allowed ? static_cast<DWORD>(std::popcount(static_cast<uint64_t>(allowed)))
                              : GetActiveProcessorCount(ALL_PROCESSOR_GROUPS);
  return count > 0 ? count : 1;
}

}  // namespace offloop

#endif
