// Whoever waits, on either side of the border.
#pragma once

#include <memory>
#include <utility>

#include "core/parker.hpp"
#include "core/signal.hpp"

namespace offloop {

/// Tells one environment, or one blocked thread, to look again. Owns what it tells. Empty: nobody.
class Waker {
 public:
  Waker() = default;
  explicit Waker(std::shared_ptr<Signal> signal) noexcept
      : whom_(std::move(signal)), tell_([](void* it) noexcept { static_cast<Signal*>(it)->raise(); }) {}
  explicit Waker(std::shared_ptr<Parker> parker) noexcept
      : whom_(std::move(parker)), tell_([](void* it) noexcept { static_cast<Parker*>(it)->unpark(); }) {}

  bool operator==(const Waker& other) const noexcept { return whom_ == other.whom_; }
  explicit operator bool() const noexcept { return whom_ != nullptr; }
  /// Thread: any, without a lock that whoever is told takes.
  void wake() const noexcept {
    if (whom_) tell_(whom_.get());
  }

 private:
  std::shared_ptr<void> whom_;
  void (*tell_)(void*) noexcept = nullptr;
};

}  // namespace offloop
