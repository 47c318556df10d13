// A console for tests that need one: a program of theirs is started in a pseudoconsole, which needs no window.
#pragma once

#include <gtest/gtest.h>
#include <windows.h>

#include <cstring>
#include <cwchar>
#include <memory>
#include <string>

#include "platform/descriptor.hpp"

namespace offloop::testing {

/// The console of this process.
class Console {
 public:
  Console() : input_(open(L"CONIN$")), output_(open(L"CONOUT$")) {}
  ~Console() {
    CloseHandle(input_);
    CloseHandle(output_);
  }
  Console(const Console&) = delete;

  Descriptor input() const { return reinterpret_cast<Descriptor>(input_); }
  /// As if somebody had.
  void type(const wchar_t* text) {
    for (; *text; ++text) move(*text == L'\r' ? VK_RETURN : 0, TRUE, *text);
  }
  void let_go(WORD key) { move(key, FALSE, L'\0'); }
  /// Where on the screen is written next.
  int line() const {
    CONSOLE_SCREEN_BUFFER_INFO screen{};
    EXPECT_TRUE(GetConsoleScreenBufferInfo(output_, &screen));
    return screen.dwCursorPosition.Y;
  }

 private:
  static HANDLE open(const wchar_t* name) {
    constexpr DWORD kShared = FILE_SHARE_READ | FILE_SHARE_WRITE;
    return CreateFileW(name, GENERIC_READ | GENERIC_WRITE, kShared, nullptr, OPEN_EXISTING, 0, nullptr);
  }
  void move(WORD key, BOOL is_down, wchar_t unit) {
    INPUT_RECORD event{};
    event.EventType = KEY_EVENT;
    event.Event.KeyEvent.bKeyDown = is_down;
    event.Event.KeyEvent.wRepeatCount = 1;
    event.Event.KeyEvent.wVirtualKeyCode = key;
    event.Event.KeyEvent.uChar.UnicodeChar = unit;
    DWORD written = 0;
    EXPECT_TRUE(WriteConsoleInputW(input_, &event, 1, &written));
  }

  const HANDLE input_;
  const HANDLE output_;
};

inline constexpr wchar_t kInAConsole[] = L"OFFLOOP_TEST_IN_A_CONSOLE";

inline bool is_in_a_console() { return GetEnvironmentVariableW(kInAConsole, nullptr, 0) > 0; }

/// Starts this program again with `option`, in a console. Returns its exit code, or -1 if it could not be started.
inline int run_in_a_console(const std::string& option) {
  using Open = HRESULT(WINAPI*)(COORD, HANDLE, HANDLE, DWORD, void**);
  using Close = void(WINAPI*)(void*);
  const HMODULE system = GetModuleHandleW(L"kernel32");  // from the Windows of 2018 on
  const auto open = reinterpret_cast<Open>(reinterpret_cast<void*>(GetProcAddress(system, "CreatePseudoConsole")));
  const auto close = reinterpret_cast<Close>(reinterpret_cast<void*>(GetProcAddress(system, "ClosePseudoConsole")));
  HANDLE keys = nullptr, typist = nullptr;
  if (!open || !close || !CreatePipe(&keys, &typist, nullptr, 0)) return -1;
  const HANDLE screen = CreateFileW(L"NUL", GENERIC_WRITE, FILE_SHARE_WRITE, nullptr, OPEN_EXISTING, 0, nullptr);
  void* console = nullptr;
  if (FAILED(open({80, 25}, keys, screen, 0, &console))) return -1;

  STARTUPINFOEXW start{};
  start.StartupInfo.cb = sizeof start;
  start.StartupInfo.dwFlags = STARTF_USESTDHANDLES;  // none: or it had ours
  SIZE_T size = 0;
  InitializeProcThreadAttributeList(nullptr, 1, 0, &size);
  const auto attributes = std::make_unique<char[]>(size);
  start.lpAttributeList = reinterpret_cast<LPPROC_THREAD_ATTRIBUTE_LIST>(attributes.get());
  InitializeProcThreadAttributeList(start.lpAttributeList, 1, 0, &size);
  constexpr DWORD_PTR kPseudoConsole = 0x20016;
  UpdateProcThreadAttribute(start.lpAttributeList, 0, kPseudoConsole, console, sizeof console, nullptr, nullptr);

  wchar_t path[MAX_PATH];
  GetModuleFileNameW(nullptr, path, MAX_PATH);
  std::wstring command = L"\"" + std::wstring(path) + L"\" " + std::wstring(option.begin(), option.end());
  SetEnvironmentVariableW(kInAConsole, L"1");
  PROCESS_INFORMATION process{};
  const bool started = CreateProcessW(nullptr, command.data(), nullptr, nullptr, FALSE, EXTENDED_STARTUPINFO_PRESENT,
                                      nullptr, nullptr, &start.StartupInfo, &process);
  SetEnvironmentVariableW(kInAConsole, nullptr);
  DWORD code = static_cast<DWORD>(-1);
  if (started) {
    if (WaitForSingleObject(process.hProcess, 60'000) == WAIT_TIMEOUT) TerminateProcess(process.hProcess, code);
    GetExitCodeProcess(process.hProcess, &code);
    CloseHandle(process.hThread);
    CloseHandle(process.hProcess);
  }
  close(console);
  for (HANDLE each : {keys, typist, screen}) CloseHandle(each);
  return static_cast<int>(code);
}

}  // namespace offloop::testing
