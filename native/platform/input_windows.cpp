#if defined(_WIN32)

#include <windows.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <mutex>
#include <utility>

#include "platform/errno_windows.hpp"
#include "platform/file.hpp"
#include "platform/input.hpp"

namespace offloop {
namespace {

HANDLE event(bool is_set) noexcept { return CreateEventW(nullptr, TRUE, is_set, nullptr); }

/// Whether a read of no bytes can be told from the end: a socket, which also passes for a pipe, ends with one.
bool is_pipe(HANDLE handle) noexcept {
  return GetFileType(handle) == FILE_TYPE_PIPE && GetNamedPipeInfo(handle, nullptr, nullptr, nullptr, nullptr);
}

}  // namespace

/// Handles of Windows either take overlapped calls, which can be waited for together with an event, or block in the call
/// itself, and it is the opener who has chosen. A console can be waited for, but reads whole lines.
class Input::Reader {
 public:
  ~Reader() {
    for (HANDLE mine : {thread_, stop_, arrived_, out_}) {
      if (mine) CloseHandle(mine);
    }
  }

  int open(int descriptor) {
    if (int error = file_.duplicate(descriptor)) return error;
    handle_ = reinterpret_cast<HANDLE>(file_.handle());
    DWORD mode = 0;
    kind_ = GetConsoleMode(handle_, &mode)           ? Kind::console
            : GetFileType(handle_) == FILE_TYPE_DISK ? Kind::file
            : is_pipe(handle_)                       ? Kind::pipe
                                                     : Kind::other;
    stop_ = event(false);
    arrived_ = event(false);
    out_ = event(true);
    const HANDLE self = GetCurrentProcess();
    const bool has_thread = DuplicateHandle(self, GetCurrentThread(), self, &thread_, 0, FALSE, DUPLICATE_SAME_ACCESS);
    return stop_ && arrived_ && out_ && has_thread ? 0 : last_errno();
  }

  int read(uint8_t* into, size_t size, size_t& done) {
    done = 0;
    if (kind_ == Kind::file) return file_.read(into, size, done);
    if (kind_ == Kind::console) return read_console(into, size, done);
    if (!enter()) return ECANCELED;
    const int error = read_stream(into, size, done);
    leave();
    return error;
  }

  /// Whoever has entered leaves soon: it is called off again and again, because it may just be about to call the system.
  void interrupt() noexcept {
    {
      std::lock_guard lock(mutex_);
      if (std::exchange(stopped_, true)) return;
      SetEvent(stop_);
    }
    if (kind_ == Kind::console) {
      if (WaitForSingleObject(out_, 0) == WAIT_TIMEOUT) end_line();
    } else {
      for (DWORD ms = 0; WaitForSingleObject(out_, ms) == WAIT_TIMEOUT; ms = 1) CancelSynchronousIo(thread_);
    }
  }

 private:
  enum class Kind : uint8_t { file, pipe, console, other };

  /// Before a call that blocks. False: there must be none any more.
  bool enter() noexcept {
    std::lock_guard lock(mutex_);
    if (!stopped_) ResetEvent(out_);
    return !stopped_;
  }
  void leave() noexcept { SetEvent(out_); }

  int read_stream(uint8_t* into, size_t size, size_t& done) noexcept {
    OVERLAPPED overlapped{};
    // With the lowest bit set, nothing is posted to a port that the handle may belong to: Node's loop has one.
    overlapped.hEvent = reinterpret_cast<HANDLE>(reinterpret_cast<uintptr_t>(arrived_) | 1);
    DWORD count = 0;
    const auto most = static_cast<DWORD>(std::min<size_t>(size, MAXLONG));
    bool read = ReadFile(handle_, into, most, &count, &overlapped);
    if (!read && GetLastError() == ERROR_IO_PENDING) {
      const HANDLE either[] = {arrived_, stop_};
      if (WaitForMultipleObjects(2, either, FALSE, INFINITE) != WAIT_OBJECT_0) CancelIoEx(handle_, &overlapped);
      read = GetOverlappedResult(handle_, &overlapped, &count, TRUE);
    }
    const DWORD error = read ? ERROR_SUCCESS : GetLastError();
    done = count;
    switch (error) {
      case ERROR_SUCCESS:
        return count == 0 && kind_ == Kind::pipe ? EAGAIN : 0;  // somebody has written nothing
      case ERROR_MORE_DATA:
        return 0;
      case ERROR_HANDLE_EOF:
      case ERROR_BROKEN_PIPE:
      case ERROR_PIPE_NOT_CONNECTED:
        done = 0;
        return 0;
      case ERROR_OPERATION_ABORTED:
        return has_stopped() ? ECANCELED : EAGAIN;
      default:
        return errno_of(error);
    }
  }

  int read_console(uint8_t* into, size_t size, size_t& done) noexcept {
    // What is left of a long line does not count as something to wait for.
    const HANDLE either[] = {stop_, handle_};
    while (!in_line_ && !has_key()) {
      if (WaitForMultipleObjects(2, either, FALSE, INFINITE) == WAIT_OBJECT_0) return ECANCELED;
    }
    if (!enter()) return ECANCELED;
    std::array<wchar_t, 4096> text;
    const size_t held = half_ ? 1 : 0;
    text[0] = half_;
    // At most three bytes for each.
    const auto most = static_cast<DWORD>(std::min(text.size(), size / 3) - held);
    DWORD count = 0;
    const bool read = ReadConsoleW(handle_, text.data() + held, most, &count, nullptr);
    const DWORD error = GetLastError();
    leave();
    if (has_stopped()) return ECANCELED;
    if (!read) return errno_of(error);
    if (count == 0) return EAGAIN;                       // Ctrl+C
    if (!in_line_ && text[held] == kControlZ) return 0;  // the end, as everywhere on this system
    size_t units = held + count;
    in_line_ = text[units - 1] != L'\n';
    half_ = IS_HIGH_SURROGATE(text[units - 1]) ? text[--units] : L'\0';
    done = static_cast<size_t>(WideCharToMultiByte(CP_UTF8, 0, text.data(), static_cast<int>(units),
                                                   reinterpret_cast<char*>(into), static_cast<int>(size), nullptr,
                                                   nullptr));
    return done == 0 ? EAGAIN : 0;
  }

  /// Whether somebody types. Drops what else is told before that: keys that are let go, above all the one that ended the line
  /// before. So who only waits for a line is not yet reading it, and leaves no trace when it is called off.
  bool has_key() noexcept {
    INPUT_RECORD next;
    DWORD count = 0;
    while (PeekConsoleInputW(handle_, &next, 1, &count)) {
      if (count == 0) return false;
      if (next.EventType == KEY_EVENT && next.Event.KeyEvent.bKeyDown) return true;
      ReadConsoleInputW(handle_, &next, 1, &count);
    }
    return true;  // the read tells what is wrong
  }

  /// A console does not end a read because it is told to, so it gets what does end it: the key for a new line. (libuv's way,
  /// too. What somebody has typed is lost, as everything that has been read ahead.)
  void end_line() noexcept {
    INPUT_RECORD key{};
    key.EventType = KEY_EVENT;
    key.Event.KeyEvent.bKeyDown = TRUE;
    key.Event.KeyEvent.wRepeatCount = 1;
    key.Event.KeyEvent.wVirtualKeyCode = VK_RETURN;
    key.Event.KeyEvent.uChar.UnicodeChar = L'\r';
    DWORD written = 0;
    WriteConsoleInputW(handle_, &key, 1, &written);
  }

  bool has_stopped() noexcept {
    std::lock_guard lock(mutex_);
    return stopped_;
  }

  static constexpr wchar_t kControlZ = 0x1A;

  File file_;
  HANDLE handle_ = nullptr;
  Kind kind_ = Kind::other;
  HANDLE thread_ = nullptr;   // the one that reads
  HANDLE stop_ = nullptr;     // an event, as the next two: interrupted
  HANDLE arrived_ = nullptr;  // an overlapped read has ended
  HANDLE out_ = nullptr;      // nobody is in a call that blocks
  std::mutex mutex_;
  bool stopped_ = false;

  // Of a console
  bool in_line_ = false;  // what comes next belongs to the line before
  wchar_t half_ = L'\0';  // the first of two units that are one character
};

Input::Input() noexcept = default;
Input::~Input() = default;

int Input::open(int descriptor) {
  reader_ = std::make_unique<Reader>();
  return reader_->open(descriptor);
}

int Input::read(uint8_t* into, size_t size, size_t& done) { return reader_->read(into, size, done); }

void Input::interrupt() noexcept { reader_->interrupt(); }

}  // namespace offloop

#endif
