// What an environment has of wakes, of waits in the reactor, and of sockets.
#pragma once

#include <napi.h>

#include <cstdint>
#include <memory>
#include <unordered_map>
#include <unordered_set>

#include "core/shared_wake.hpp"
#include "core/waits.hpp"
#include "platform/socket.hpp"

namespace offloop {

class Environment;

/// An environment's end of a wake: its signal is raised when a look has found nothing and then somebody rings.
class WakeEnd final : public SharedWake::Listener {
 public:
  WakeEnd(std::shared_ptr<SharedWake> wake, std::shared_ptr<Signal> signal) noexcept
      : wake_(std::move(wake)), signal_(std::move(signal)) {}
  ~WakeEnd() override { wake_->leave(*this); }

  SharedWake& wake() noexcept { return *wake_; }
  Signal& signal() noexcept { return *signal_; }

 private:
  void on_ring() noexcept override { signal_->raise(); }

  const std::shared_ptr<SharedWake> wake_;
  const std::shared_ptr<Signal> signal_;
};

/// Thread: the loop's, for everything.
class Primitives {
 public:
  explicit Primitives(Environment& environment) noexcept : environment_(environment) {}
  Primitives(const Primitives&) = delete;

  /// The environment ends: nothing of this is told, or held open, any more.
  void end() noexcept;

  /// Made at first use. Throws std::bad_alloc.
  Waits& waits();

  /// Its number is that of its signal. Throws std::bad_alloc.
  WakeEnd& open_wake(std::shared_ptr<SharedWake> wake);
  WakeEnd& wake(uint32_t number) { return *wakes_.at(number); }
  void close_wake(uint32_t number) noexcept;

  /// Sockets that are still open when the environment ends are closed then. Returns 0 or an errno.
  int connect(const char* address, uint16_t port, Descriptor& socket) noexcept;
  void close(Descriptor socket) noexcept;

 private:
  Environment& environment_;
  std::unique_ptr<Waits> waits_;
  std::unordered_map<uint32_t, std::unique_ptr<WakeEnd>> wakes_;  // by number
  std::unordered_set<Descriptor> sockets_;
};

/// Adds what lib/native.ts says of them to an environment's exports.
void export_primitives(Napi::Object& exports, Environment& environment);

}  // namespace offloop
