// Something that can be rung from anywhere, by whoever has something for those who listen.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>

#include "base/linked_list.hpp"

namespace offloop {

/// Counts rings, and tells listeners that there were some. Rings coalesce: a listener that looks learns only that it was
/// rung since it last looked. Every listener hears of every ring, also of those before it came, so none is lost.
///
/// Thread: any. Lifetime: shared by those who ring and those who listen.
class SharedWake {
 public:
  /// Throws std::bad_alloc.
  static std::shared_ptr<SharedWake> open();
  /// The one of that number, while somebody holds it; or nullptr.
  static std::shared_ptr<SharedWake> find(uint64_t number) noexcept;
  ~SharedWake();

  /// One who listens: an event loop, whose doorbell is rung, or a native thread, whose poller's wake handle is.
  /// Lifetime: until `leave`.
  class Listener {
   public:
    virtual ~Listener() = default;

   private:
    friend class SharedWake;
    /// It is to look again. Called once for each look that found nothing, with the wake's lock held. Thread: any.
    virtual void on_ring() noexcept = 0;

    uint64_t seen_ = 0;
    Place<Listener> waiting_;
  };

  struct Counts {
    uint64_t rings = 0;
    uint64_t wake_ups = 0;  // looks that found that it was rung
  };

  SharedWake(const SharedWake&) = delete;

  /// Unlike those of all other wakes of the process, past ones included.
  uint64_t number() const noexcept { return number_; }
  void ring() noexcept;
  /// After it returns nobody is inside `on_ring`.
  void leave(Listener& listener) noexcept;
  /// Whether it was rung since the listener last looked, or ever. False: it will be told of the next ring.
  bool look(Listener& listener) noexcept;
  Counts counts() noexcept;

 private:
  explicit SharedWake(uint64_t number) noexcept : number_(number) {}

  const uint64_t number_;
  std::mutex mutex_;
  Counts counts_;
  LinkedList<Listener, &Listener::waiting_> waiting_;
};

}  // namespace offloop
