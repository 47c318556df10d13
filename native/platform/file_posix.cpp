#if !defined(_WIN32)

// Large files on 32-bit systems; counts only before the first header.
#define _FILE_OFFSET_BITS 64

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "platform/file.hpp"
#if defined(STATX_BTIME)  // Linux, unless its C library is an old one
#include <sys/sysmacros.h>
#endif

namespace offloop {
namespace {

template <class Call>
auto retried(Call call) noexcept {
  decltype(call()) result;
  do {
    result = call();
  } while (result < 0 && errno == EINTR);
  return result;
}

int descriptor(intptr_t handle) noexcept { return static_cast<int>(handle); }

template <class Stamp>
FileStatus::Time time_of(const Stamp& stamp) noexcept {
  return {static_cast<double>(stamp.tv_sec), static_cast<double>(stamp.tv_nsec)};
}

int status_by_stat(const char* path, FileStatus& status) noexcept {
  struct stat found;
  if (retried([&] { return stat(path, &found); }) < 0) return errno;
  status.device = static_cast<double>(found.st_dev);
  status.mode = found.st_mode;
  status.links = static_cast<double>(found.st_nlink);
  status.user = found.st_uid;
  status.group = found.st_gid;
  status.special_device = static_cast<double>(found.st_rdev);
  status.block_size = static_cast<double>(found.st_blksize);
  status.serial = static_cast<double>(found.st_ino);
  status.size = static_cast<double>(found.st_size);
  status.blocks = static_cast<double>(found.st_blocks);
#if defined(__APPLE__)
  status.accessed = time_of(found.st_atimespec);
  status.modified = time_of(found.st_mtimespec);
  status.changed = time_of(found.st_ctimespec);
  status.born = time_of(found.st_birthtimespec);
#else
  status.accessed = time_of(found.st_atim);
  status.modified = time_of(found.st_mtim);
  status.changed = status.born = time_of(found.st_ctim);
#endif
  return 0;
}

#if defined(STATX_BTIME)
FileStatus::Time time_of(const statx_timestamp& stamp) noexcept {
  return {static_cast<double>(stamp.tv_sec), static_cast<double>(stamp.tv_nsec)};
}

/// The only call that knows when a file was born.
int status_by_statx(const char* path, FileStatus& status) noexcept {
  struct statx found;
  if (retried([&] { return statx(AT_FDCWD, path, 0, STATX_BASIC_STATS | STATX_BTIME, &found); }) < 0) return errno;
  status.device = static_cast<double>(makedev(found.stx_dev_major, found.stx_dev_minor));
  status.mode = found.stx_mode;
  status.links = found.stx_nlink;
  status.user = found.stx_uid;
  status.group = found.stx_gid;
  status.special_device = static_cast<double>(makedev(found.stx_rdev_major, found.stx_rdev_minor));
  status.block_size = found.stx_blksize;
  status.serial = static_cast<double>(found.stx_ino);
  status.size = static_cast<double>(found.stx_size);
  status.blocks = static_cast<double>(found.stx_blocks);
  status.accessed = time_of(found.stx_atime);
  status.modified = time_of(found.stx_mtime);
  status.changed = time_of(found.stx_ctime);
  status.born = time_of(found.stx_btime);
  return 0;
}
#endif

}  // namespace

int File::open(const char* path, Use use) noexcept {
  const int flags = use == Use::read ? O_RDONLY : O_WRONLY | O_CREAT | O_TRUNC;
  handle_ = retried([&] { return ::open(path, flags | O_CLOEXEC, 0666); });
  return handle_ < 0 ? errno : 0;
}

int File::size(uint64_t& bytes) const noexcept {
  struct stat found;
  if (retried([&] { return fstat(descriptor(handle_), &found); }) < 0) return errno;
  bytes = S_ISREG(found.st_mode) ? static_cast<uint64_t>(found.st_size) : 0;
  return 0;
}

int File::read(uint8_t* into, size_t size, size_t& done) noexcept {
  const ssize_t count = retried([&] { return ::read(descriptor(handle_), into, size); });
  done = count < 0 ? 0 : static_cast<size_t>(count);
  return count < 0 ? errno : 0;
}

int File::write(const uint8_t* from, size_t size, size_t& done) noexcept {
  const ssize_t count = retried([&] { return ::write(descriptor(handle_), from, size); });
  done = count < 0 ? 0 : static_cast<size_t>(count);
  return count < 0 ? errno : 0;
}

int File::duplicate(int descriptor) noexcept {
  handle_ = retried([&] { return fcntl(descriptor, F_DUPFD_CLOEXEC, 0); });
  return handle_ < 0 ? errno : 0;
}

int File::close() noexcept {
  if (handle_ < 0) return 0;
  // Not retried: an interrupted close has closed, and the number may already be somebody else's.
  if (::close(descriptor(std::exchange(handle_, -1))) == 0 || errno == EINTR || errno == EINPROGRESS) return 0;
  return errno;
}

int file_status(const char* path, FileStatus& status) noexcept {
#if defined(STATX_BTIME)
  const int error = status_by_statx(path, status);
  // Old kernels lack it, and sandboxes refuse it in various ways.
  const bool usable = error != ENOSYS && error != EPERM && error != EINVAL && error != EOPNOTSUPP;
  if (usable) return error;
#endif
  return status_by_stat(path, status);
}

int remove_file(const char* path) noexcept {
  return retried([&] { return unlink(path); }) < 0 ? errno : 0;
}

bool file_exists(const char* path) noexcept { return access(path, F_OK) == 0; }

}  // namespace offloop

#endif
