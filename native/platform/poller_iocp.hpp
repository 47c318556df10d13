// Windows' poller: a completion port.
//
// A port tells what has been done, not what could be done now. So a watched socket is a question to the driver of sockets
// (afd_windows.hpp) which completes when the socket is ready, and a watched pipe is a read of no bytes. Each question is
// asked once; with Trigger::level the next wait asks it again.
//
// What the system may still write to lives until its completion has been taken, though nobody watches it any more.
#pragma once

#include <atomic>
#include <chrono>
#include <list>
#include <memory>
#include <mutex>
#include <span>
#include <unordered_map>
#include <unordered_set>

#include "platform/afd_windows.hpp"
#include "platform/poller.hpp"

namespace offloop {

class IocpPoller {
 public:
  static constexpr const char* kName = "iocp";
  static constexpr std::chrono::nanoseconds kForever = std::chrono::nanoseconds::max();

  static std::unique_ptr<IocpPoller> open(int& error);
  ~IocpPoller();
  IocpPoller(const IocpPoller&) = delete;

  /// Takes a SOCKET, or the HANDLE of a pipe that was opened for overlapped calls; a pipe only to be read, and by one poller
  /// in its life. ENOTSUP: whatever else there is.
  int watch(Descriptor fd, Interest interest, void* tag, Trigger trigger = Trigger::level) noexcept;
  int rewatch(Descriptor fd, Interest interest, void* tag, Trigger trigger) noexcept;
  int unwatch(Descriptor fd) noexcept;
  size_t wait(std::span<Ready> ready, std::chrono::nanoseconds timeout) noexcept;

 private:
  friend class IocpWake;
  struct Watched;

  /// The state of a wake handle. Its last ring may still be in the port when it goes.
  struct Bell {
    void* tag;
    std::atomic<bool> rung{false};
    std::atomic<bool> posted{false};  // a completion is in the port: never more than one
    bool wanted = true;
  };

  IocpPoller() = default;

  /// Takes what has completed, or completes in so many milliseconds. Returns how much that was.
  size_t collect(std::span<Ready> ready, unsigned long timeout_ms, size_t& found) noexcept;
  void post(Bell& bell) noexcept;

  // With the lock held.
  /// Throws std::bad_alloc.
  int classify(Watched& watched);
  int ask(Watched& watched) noexcept;
  void cancel(Watched& watched) noexcept;
  void ask_again() noexcept;
  void let_go(Watched* watched) noexcept;
  void let_go(Bell& bell) noexcept;
  bool take_answer(Watched* watched, Ready& ready) noexcept;
  bool take_ring(Bell& bell, Ready& ready) noexcept;

  void* port_ = nullptr;  // a HANDLE
  Afd afd_;
  std::mutex mutex_;
  std::unordered_map<Descriptor, Watched*> watched_;
  std::unordered_set<Descriptor> pipes_;      // those that the port keeps
  std::unordered_set<const Watched*> reads_;  // of pipes, which will answer
  std::list<Bell> bells_;
  Watched* to_ask_ =
      nullptr;  // those that the next wait asks about again, so that all have their turn: first in, first out
  Watched** to_ask_end_ = &to_ask_;
  size_t in_flight_ = 0;  // answers that will come
};

}  // namespace offloop
