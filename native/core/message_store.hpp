// The messages of a queue, in blocks of memory.
#pragma once

#include <cstddef>
#include <cstdint>

namespace offloop {

/// First in, first out. Thread: whoever holds its owner's lock. Owns its messages, and what they keep apart.
class MessageStore {
 public:
  MessageStore() = default;
  MessageStore(const MessageStore&) = delete;
  ~MessageStore();

  /// False: no memory, and nothing has changed.
  bool push(const uint32_t* messages, size_t words, uint32_t count) noexcept;
  /// Puts a message before all others. False: no memory, and nothing has changed.
  bool push_front(const uint32_t* message, size_t words) noexcept;
  /// Moves as many as fit into `room` words, `most` at most. Returns how many.
  uint32_t pop(uint32_t* into, size_t room, uint32_t most) noexcept;
  /// Drops the oldest. There is one.
  void drop() noexcept;
  void clear() noexcept;
  uint32_t count() const noexcept { return count_; }

 private:
  struct Block {
    Block* next;
    size_t begin;
    size_t end;
    size_t size;
    uint32_t* words() noexcept { return reinterpret_cast<uint32_t*>(this + 1); }
  };
  /// With room for so many, and none used. nullptr: no memory.
  Block* make_block(size_t words) noexcept;
  /// Lets go of the first block, which is empty; one is kept for what comes next.
  void leave_block() noexcept;

  Block* first_ = nullptr;
  Block* last_ = nullptr;
  Block* spare_ = nullptr;
  uint32_t count_ = 0;
};

}  // namespace offloop
