// Files, by the system's own calls. Every function returns 0 or a positive errno, retries what a signal interrupted, and
// blocks.
#pragma once

#include <cstddef>
#include <cstdint>

namespace offloop {

/// An open file. Owns its handle, which children do not inherit.
class File {
 public:
  enum class Use : uint8_t { read, replace };

  File() = default;
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  ~File() { close(); }

  /// `replace` makes the file if there is none and empties it if there is.
  int open(const char* path, Use use) noexcept;
  /// How many bytes a regular file has now; 0 for everything else, whose size says nothing about what can be read.
  int size(uint64_t& bytes) const noexcept;
  /// `done` is 0 at the end of the file, and may be less than `size` before it.
  int read(uint8_t* into, size_t size, size_t& done) noexcept;
  int write(const uint8_t* from, size_t size, size_t& done) noexcept;
  /// What the host's `descriptor` stands for, which its owner may close meanwhile.
  int duplicate(int descriptor) noexcept;
  /// In the system's terms: what a poller watches.
  intptr_t handle() const noexcept { return handle_; }
  int close() noexcept;

 private:
  intptr_t handle_ = -1;
};

/// What the system knows about a path, links followed. Units: times in seconds and nanoseconds of the Unix epoch.
struct FileStatus {
  struct Time {
    double seconds = 0;
    double nanoseconds = 0;
  };
  double device = 0, mode = 0, links = 0, user = 0, group = 0, special_device = 0;
  double block_size = 0, serial = 0, size = 0, blocks = 0;
  Time accessed, modified, changed, born;
};

int file_status(const char* path, FileStatus& status) noexcept;
int remove_file(const char* path) noexcept;
bool file_exists(const char* path) noexcept;

}  // namespace offloop
