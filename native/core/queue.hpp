// A queue: many senders, one receiver, on whatever threads; bounded.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include "core/message_store.hpp"
#include "core/overflow.hpp"
#include "core/waker.hpp"

namespace offloop {

/// Messages travel in batches. A sender first takes room, so that it can tell its caller at once what becomes of a message,
/// and later puts in what it has written meanwhile. The receiver takes many at a time, and they hold their room until it
/// says that they have been received. So at any time
///   stored + lent + promised <= capacity
/// but for `drop_oldest`, where room is made when messages are put in.
///
/// The lock is never held while somebody is woken. Whoever finds nothing, or no room, leaves its waker under the lock; it is
/// woken once, and looks again: some other may have been faster.
/// Thread: any. Lifetime: counted by the environments and tasks that hold an end of it.
class Queue {
 public:
  struct Options {
    uint32_t capacity;
    Overflow overflow;
  };
  struct Room {
    uint32_t messages = 0;  // promised
    bool closed = false;
    bool awaited = false;  // the receiver sleeps until something comes
  };
  struct Taken {
    uint32_t messages = 0;
    bool ended = false;    // closed, and nothing will come any more
    bool refused = false;  // somebody else receives
  };
  struct Counts {
    uint64_t sent = 0;      // that were put in
    uint64_t received = 0;  // that were handed out
    uint64_t dropped = 0;
    uint32_t held = 0;        // stored or lent
    uint32_t high_water = 0;  // the most that were
  };

  explicit Queue(Options options) noexcept : options_(options) {}
  ~Queue();
  Queue(const Queue&) = delete;

  const Options& options() const noexcept { return options_; }

  // --- senders ---
  /// Promises room for up to `wanted` messages, at least one if there is any. With `drop_newest`, none means that the
  /// message which the room was for is dropped.
  Room reserve(uint32_t wanted) noexcept;
  /// Puts in `count` messages, for which there is room, and gives back the room for `unused` more. What they keep apart is
  /// the queue's. False: no memory, and nothing was put in.
  bool commit(const uint32_t* messages, size_t words, uint32_t count, uint32_t unused) noexcept;
  /// True: there may be room, or it is closed. False: `waker` will be woken then.
  bool await_room(const Waker& waker) noexcept;
  /// It does not wait for room any more.
  void forget(const Waker& waker) noexcept;

  // --- the receiver ---
  /// A receiver is whatever the pointer stands for: it is never dereferenced. Who takes is the receiver until it says here
  /// that others may.
  void disclaim(const void* who) noexcept;
  struct Wish {
    uint32_t received;  // of those that were lent
    uint32_t most;
    bool lends;  // what is taken now counts as received later
  };
  /// Takes as many as fit into `room`, which has kMostWords at least. None: `waker` will be woken when there are some, or it
  /// has ended.
  Taken take(const void* who, Wish wish, std::span<uint32_t> room, const Waker& waker) noexcept;
  /// Counts messages that were lent as received.
  void receive(uint32_t count) noexcept;
  /// Takes the last message back that was lent: it comes before all others. What it keeps apart is the queue's again. False:
  /// no memory, and it is still lent.
  bool take_back(const uint32_t* message, size_t words) noexcept;
  /// The environment that made it is gone, so nobody is to receive: drops what is there, and whatever is still put in. A task
  /// that receives hears that it has ended.
  void abandon() noexcept;

  // --- both ---
  /// No room is promised any more. What was promised room still comes.
  void close() noexcept;
  bool closed() noexcept;
  Counts counts() noexcept;

  /// Makes the queue known to `find`, by that id, which nobody can guess, or by the one it has already. Returns which. Throws
  /// std::bad_alloc.
  static std::string publish(const std::shared_ptr<Queue>& queue, const std::string& id);
  /// Empty: there is none.
  static std::shared_ptr<Queue> find(const std::string& id) noexcept;

 private:
  uint32_t free_room() const noexcept;
  void hand_back(uint32_t count) noexcept;
  void drop_oldest() noexcept;
  bool has_ended() const noexcept { return closed_ && store_.count() == 0 && promised_ == 0; }
  /// Those to be woken when room has become free, or it has closed; and the receiver, if it has something to find.
  std::vector<Waker> take_senders() noexcept;
  Waker take_receiver() noexcept;

  const Options options_;
  std::mutex mutex_;
  MessageStore store_;
  uint32_t promised_ = 0;
  uint32_t lent_ = 0;
  bool closed_ = false;
  bool abandoned_ = false;
  const void* receiver_ = nullptr;
  Waker receiving_;             // the receiver, while it sleeps
  std::vector<Waker> sending_;  // those that sleep until there is room
  Counts counts_;
  std::string id_;  // empty: not published; guarded by the list's lock
};

}  // namespace offloop
