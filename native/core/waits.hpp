// What one environment waits for in the reactor, and what has come of it.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <vector>

#include "core/reactor.hpp"
#include "core/signal.hpp"

namespace offloop {

/// Waits for descriptors, for times, or for whichever of the two comes first. What comes is collected by the reactor's
/// thread, which raises the signal; the environment takes it in batches. A wait that nobody has taken yet collects all that
/// comes in one event.
///
/// Thread: its environment's. Lifetime: all waits end with it, and no others. Errors: positive errnos.
class Waits {
 public:
  enum class Kind : uint8_t {
    once,   // over when it has been taken
    again,  // told once, then silent until `again`
    edge,   // told each time its descriptor becomes ready
  };

  /// Bits of `what`.
  static constexpr uint32_t kReadable = 1;
  static constexpr uint32_t kWritable = 2;
  static constexpr uint32_t kHungUp = 4;
  static constexpr uint32_t kTimeIsUp = 8;

  struct Event {
    uint32_t number;
    uint32_t what;
  };

  explicit Waits(std::shared_ptr<Signal> signal) noexcept : signal_(std::move(signal)) {}
  ~Waits();
  Waits(const Waits&) = delete;

  /// What JavaScript knows the signal by.
  uint32_t signal() const noexcept { return signal_->slot; }

  /// Begins a wait, whose number is then its own until it is over. Units: `due_ns` of the steady clock.
  int begin(std::optional<Descriptor> fd, Interest interest, Kind kind, int64_t due_ns, uint32_t& number) noexcept;
  /// Of a wait that is told again and again. What is ready already comes at once.
  int again(uint32_t number, Interest interest) noexcept;
  /// It is over, and nothing comes of it any more.
  void end(uint32_t number) noexcept;
  /// Returns how many events it has written. If there are more than fit, the signal is raised again.
  size_t take(std::span<Event> events) noexcept;

 private:
  struct Wait : Watcher, Timer {
    Waits* owner = nullptr;
    uint32_t number = 0;
    Kind kind = Kind::once;
    bool is_watched = false;
    uint32_t what = 0;  // has come, and was not taken
    Place<Wait> arrived;
  };

  /// Throws std::bad_alloc.
  Wait& open(Kind kind);
  int start(Wait& wait, std::optional<Descriptor> fd, Interest interest, int64_t due_ns) noexcept;
  /// Something has come. Thread: the reactor's.
  static bool on_ready(Watcher& watcher, Readiness found) noexcept;
  static void on_time(Timer& timer) noexcept;
  /// Returns whether the environment had to be told.
  bool arrive(Wait& wait, uint32_t what) noexcept;

  const std::shared_ptr<Signal> signal_;
  std::vector<std::unique_ptr<Wait>> waits_;  // by number
  std::vector<uint32_t> free_;                // numbers of waits that are over, with room for all

  std::mutex mutex_;
  LinkedList<Wait, &Wait::arrived> arrived_;
};

}  // namespace offloop
