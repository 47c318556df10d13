#if defined(_WIN32)

#include <windows.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <new>
#include <string>
#include <utility>

#include "platform/errno_windows.hpp"
#include "platform/file.hpp"
#include "platform/image.hpp"
#include "platform/wide_windows.hpp"

namespace offloop {
namespace {

constexpr DWORD kShared = FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE;  // as on other systems, and in Node
constexpr size_t kMost = size_t{1} << 30;                                          // of bytes in one call

/// The parts of `mode` as C has them.
constexpr double kDirectory = 0040000, kRegular = 0100000, kCharacters = 0020000;
constexpr double kForAll = 0666, kReadOnly = 0444;

HANDLE handle_of(intptr_t handle) noexcept { return reinterpret_cast<HANDLE>(handle); }

/// Numbers of descriptors belong to the C library of whoever opened them, which is the host's and not ours. Node tells; of
/// others we know what the system itself knows.
HANDLE handle_behind(int descriptor) noexcept {
  using Behind = HANDLE (*)(int);
  static const auto behind = reinterpret_cast<Behind>(host_symbol("uv_get_osfhandle"));
  if (behind) return behind(descriptor);
  constexpr DWORD kStandard[] = {STD_INPUT_HANDLE, STD_OUTPUT_HANDLE, STD_ERROR_HANDLE};
  return descriptor >= 0 && descriptor < 3 ? GetStdHandle(kStandard[descriptor]) : INVALID_HANDLE_VALUE;
}

/// What `act` returns for a path as the system wants it, or ENOMEM.
template <class Act>
int with_path(const char* path, Act act) noexcept {
  try {
    return act(to_wide_path(path).c_str());
  } catch (const std::bad_alloc&) {
    return ENOMEM;
  }
}

/// The system counts in tenths of a microsecond since 1601. Nanoseconds are never negative.
FileStatus::Time time_of(int64_t ticks) noexcept {
  constexpr int64_t kPerSecond = 10'000'000;
  constexpr int64_t kEpoch = 11'644'473'600;
  return {static_cast<double>(ticks / kPerSecond - kEpoch), static_cast<double>(ticks % kPerSecond * 100)};
}

/// NUL, consoles and pipes, of which little is known.
void describe_device(DWORD type, FileStatus& status) noexcept {
  status.mode = (type == FILE_TYPE_PIPE ? 0010000 : kCharacters) + kForAll;
  status.links = 1;
  status.block_size = 4096;
}

int describe(HANDLE file, FileStatus& status) noexcept {
  const DWORD type = GetFileType(file);
  if (type != FILE_TYPE_DISK) {
    describe_device(type, status);
    return 0;
  }
  BY_HANDLE_FILE_INFORMATION found;
  FILE_BASIC_INFO times;
  FILE_STANDARD_INFO sizes;
  if (!GetFileInformationByHandle(file, &found) ||
      !GetFileInformationByHandleEx(file, FileBasicInfo, &times, sizeof times) ||
      !GetFileInformationByHandleEx(file, FileStandardInfo, &sizes, sizeof sizes)) {
    return last_errno();
  }
  const bool is_directory = times.FileAttributes & FILE_ATTRIBUTE_DIRECTORY;
  const bool is_read_only = times.FileAttributes & FILE_ATTRIBUTE_READONLY;
  status.device = found.dwVolumeSerialNumber;
  status.mode = (is_directory ? kDirectory : kRegular) + (is_read_only ? kReadOnly : kForAll);
  status.links = found.nNumberOfLinks;
  status.block_size = 4096;
  status.serial = static_cast<double>(uint64_t{found.nFileIndexHigh} << 32 | found.nFileIndexLow);
  status.size = is_directory ? 0 : static_cast<double>(sizes.EndOfFile.QuadPart);
  status.blocks = static_cast<double>(sizes.AllocationSize.QuadPart >> 9);
  status.accessed = time_of(times.LastAccessTime.QuadPart);
  status.modified = time_of(times.LastWriteTime.QuadPart);
  status.changed = time_of(times.ChangeTime.QuadPart);
  status.born = time_of(times.CreationTime.QuadPart);
  return 0;
}

/// What the system's own call does not remove though it is no directory, at least elsewhere.
int remove_although_refused(const wchar_t* path) noexcept {
  const DWORD attributes = GetFileAttributesW(path);
  if (attributes == INVALID_FILE_ATTRIBUTES) return EPERM;
  if (attributes & FILE_ATTRIBUTE_DIRECTORY) {
    const bool is_link = attributes & FILE_ATTRIBUTE_REPARSE_POINT;
    return is_link && RemoveDirectoryW(path) ? 0 : EPERM;
  }
  if (!(attributes & FILE_ATTRIBUTE_READONLY)) return EPERM;
  SetFileAttributesW(path, attributes & ~DWORD{FILE_ATTRIBUTE_READONLY});
  if (DeleteFileW(path)) return 0;
  const int error = last_errno();
  SetFileAttributesW(path, attributes);
  return error;
}

}  // namespace

int File::open(const char* path, Use use) noexcept {
  return with_path(path, [&](const wchar_t* wide) {
    const DWORD access = use == Use::read ? GENERIC_READ : GENERIC_WRITE;
    const DWORD how = use == Use::read ? OPEN_EXISTING : CREATE_ALWAYS;
    // With the last flag a directory can be opened, and refuses to be read: the errors are those of other systems.
    const HANDLE file = CreateFileW(wide, access, kShared, nullptr, how, FILE_FLAG_BACKUP_SEMANTICS, nullptr);
    handle_ = reinterpret_cast<intptr_t>(file);
    if (file != INVALID_HANDLE_VALUE) return 0;
    const DWORD error = GetLastError();
    return use == Use::replace && error == ERROR_FILE_EXISTS ? EISDIR : errno_of(error);
  });
}

int File::size(uint64_t& bytes) const noexcept {
  bytes = 0;
  if (GetFileType(handle_of(handle_)) != FILE_TYPE_DISK) return 0;
  FILE_STANDARD_INFO found;
  if (!GetFileInformationByHandleEx(handle_of(handle_), FileStandardInfo, &found, sizeof found)) return last_errno();
  if (!found.Directory) bytes = static_cast<uint64_t>(found.EndOfFile.QuadPart);
  return 0;
}

int File::read(uint8_t* into, size_t size, size_t& done) noexcept {
  DWORD count = 0;
  const bool read = ReadFile(handle_of(handle_), into, static_cast<DWORD>(std::min(size, kMost)), &count, nullptr);
  done = read ? count : 0;
  if (read) return 0;
  const DWORD error = GetLastError();
  return error == ERROR_HANDLE_EOF || error == ERROR_BROKEN_PIPE ? 0 : errno_of(error);
}

int File::write(const uint8_t* from, size_t size, size_t& done) noexcept {
  DWORD count = 0;
  const bool written = WriteFile(handle_of(handle_), from, static_cast<DWORD>(std::min(size, kMost)), &count, nullptr);
  done = written ? count : 0;
  return written ? 0 : last_errno();
}

int File::duplicate(int descriptor) noexcept {
  const HANDLE self = GetCurrentProcess();
  const HANDLE original = handle_behind(descriptor);
  HANDLE copy = nullptr;
  // What is no number of a handle stands for this process, or this thread.
  if (reinterpret_cast<intptr_t>(original) <= 0) return EBADF;
  if (!DuplicateHandle(self, original, self, &copy, 0, FALSE, DUPLICATE_SAME_ACCESS)) return last_errno();
  handle_ = reinterpret_cast<intptr_t>(copy);
  return 0;
}

int File::close() noexcept {
  if (handle_ == -1) return 0;
  return CloseHandle(handle_of(std::exchange(handle_, -1))) ? 0 : last_errno();
}

int file_status(const char* path, FileStatus& status) noexcept {
  return with_path(path, [&](const wchar_t* wide) {
    const HANDLE file =
        CreateFileW(wide, FILE_READ_ATTRIBUTES, kShared, nullptr, OPEN_EXISTING, FILE_FLAG_BACKUP_SEMANTICS, nullptr);
    if (file == INVALID_HANDLE_VALUE) return last_errno();
    const int error = describe(file, status);
    CloseHandle(file);
    return error;
  });
}

int remove_file(const char* path) noexcept {
  return with_path(path, [](const wchar_t* wide) {
    if (DeleteFileW(wide)) return 0;
    const DWORD error = GetLastError();
    return error == ERROR_ACCESS_DENIED ? remove_although_refused(wide) : errno_of(error);
  });
}

bool file_exists(const char* path) noexcept {
  return with_path(path, [](const wchar_t* wide) {
           return GetFileAttributesW(wide) == INVALID_FILE_ATTRIBUTES ? ENOENT : 0;
         }) == 0;
}

}  // namespace offloop

#endif
