// How native code tells JavaScript that something it waits for has changed.
#pragma once

#include <memory>
#include <mutex>

#include "core/mailbox.hpp"

namespace offloop {

/// A letter to one environment that says "look again", and nothing else: what has changed stands in the object that raises
/// it. Raised any number of times before the loop looks, it arrives once, so whoever hears it looks at all that may have
/// changed.
///
/// Lifetime: shared by the object, by the environment until one of them closes it, and by the mailbox while it is under way.
class Signal final : public Letter, public std::enable_shared_from_this<Signal> {
 public:
  /// `number` is what JavaScript knows it by.
  Signal(Mailbox& home, uint32_t number) noexcept : home_(&home) {
    kind = static_cast<uint32_t>(Kind::signal);
    slot = number;
  }
  Signal(const Signal&) = delete;

  /// Returns whether it was sent: false if it is under way already, or closed. What was written before is seen by whoever
  /// hears it. Thread: any.
  bool raise() noexcept;
  /// Nothing is sent from now on: the environment is about to let go of its mailbox.
  void close() noexcept;

  // --- the mailbox's side ---
  /// It has arrived; the next raise sends it again. Returns what may now be its last owner.
  std::shared_ptr<Signal> arrive() noexcept;

 private:
  std::mutex mutex_;
  Mailbox* home_;                      // nullptr: closed
  std::shared_ptr<Signal> under_way_;  // itself, while it is in the mailbox
};

}  // namespace offloop
