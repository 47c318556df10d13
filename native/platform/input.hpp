// Something that the host has opened and a thread reads, until it ends or another thread calls the reader off.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

namespace offloop {

/// A file, a pipe or a terminal. It is left as it was, and stays open at its owner's.
/// Thread: one opens and reads; `interrupt` comes from any.
class Input {
 public:
  Input() noexcept;
  Input(const Input&) = delete;
  ~Input();

  /// Whose owner may close it meanwhile. Returns 0 or an errno.
  int open(int descriptor);
  /// Blocks until something has come, and gives what there is; `done` is 0 at the end. A terminal of Windows gives UTF-8.
  /// Errors: EAGAIN: nothing after all; ECANCELED: interrupted; others of the system.
  /// Units: `size` is 64 bytes at least.
  int read(uint8_t* into, size_t size, size_t& done);
  /// Ends the read that is under way, and all that follow. What is ready at once, as files are, may still be read.
  void interrupt() noexcept;

 private:
  class Reader;
  std::unique_ptr<Reader> reader_;
};

}  // namespace offloop
