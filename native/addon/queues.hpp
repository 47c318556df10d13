// The ends of queues that one environment holds.
#pragma once

#include <memory>
#include <vector>

#include "core/queue.hpp"

namespace offloop {

class Environment;

/// JavaScript knows them by number. Thread: the loop's. Lifetime: the environment's.
class Queues {
 public:
  explicit Queues(Environment& environment) noexcept : environment_(environment) {}
  Queues(const Queues&) = delete;

  struct End {
    std::shared_ptr<Queue> queue;  // empty: the number is free
    bool made_here = false;        // only then may JavaScript receive, here
    uint32_t promised = 0;         // room that messages not put in yet have
    std::shared_ptr<Signal> receiving;
    std::shared_ptr<Signal> sending;
  };

  /// Returns its number. Throws std::bad_alloc.
  uint32_t add(std::shared_ptr<Queue> queue, bool made_here);
  /// nullptr: the number is no end's.
  End* at(uint32_t number) noexcept { return number < ends_.size() && ends_[number].queue ? &ends_[number] : nullptr; }
  /// Lets go of an end. Nobody can receive any more from a queue that was made here.
  void release(uint32_t number) noexcept;
  /// The environment ends.
  void end() noexcept;

  /// Signals of an end, made when first asked for. Throw std::bad_alloc.
  Signal& receiving(End& end) { return signal(end.receiving); }
  Signal& sending(End& end) { return signal(end.sending); }

  /// Memory shared with JavaScript: messages on their way out and in. kMessagesWords each.
  uint32_t* outgoing = nullptr;
  uint32_t* incoming = nullptr;

 private:
  Signal& signal(std::shared_ptr<Signal>& signal);
  void let_go(End& end) noexcept;

  Environment& environment_;
  std::vector<End> ends_;       // by number
  std::vector<uint32_t> free_;  // numbers of ends that were let go, with room for all
};

}  // namespace offloop
