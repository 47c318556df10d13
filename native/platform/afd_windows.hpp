// Readiness of sockets on Windows: the driver below its sockets can be asked to say, by a completion, when one becomes ready.
//
// It is what select() of Windows itself asks. Its device and its one request have no header, but have been what they are for
// twenty years; libuv, and so Node, relies on them too.
#pragma once

#include <cstdint>

namespace offloop {

/// One question to the driver, and its answer: the system reads and writes it until the completion has been taken.
struct AfdPoll {
  static constexpr uint32_t kReceive = 0x1, kSend = 0x4, kDisconnect = 0x8, kAbort = 0x10, kLocalClose = 0x20,
                            kAccept = 0x80, kConnectFail = 0x100;

  int64_t timeout;
  uint32_t count;
  uint32_t exclusive;
  void* socket;
  uint32_t events;
  int32_t status;
};

/// The device, with its completions on a port. Thread: any, once it is open.
class Afd {
 public:
  Afd() = default;
  Afd(const Afd&) = delete;
  ~Afd();

  /// Returns 0 or an errno.
  int open(void* port, uintptr_t key) noexcept;
  /// Asks which of `events` is, or becomes, true of the socket. `overlapped` is an OVERLAPPED, where it completes. Returns 0,
  /// or an errno if nothing will complete.
  int ask(void* socket, uint32_t events, AfdPoll& poll, void* overlapped) noexcept;
  /// Has what was asked with `overlapped` complete soon, if it has not.
  void cancel(void* overlapped) noexcept;

  /// The socket below whatever layers there are around it; nullptr if it is none.
  static void* base_of(uintptr_t socket) noexcept;

 private:
  void* device_ = nullptr;
};

}  // namespace offloop
