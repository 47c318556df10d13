#include "core/message_store.hpp"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "core/message.hpp"

namespace offloop {
namespace {

/// With the block's head just below 16 KiB.
constexpr size_t kBlockWords = 4088;

}  // namespace

MessageStore::~MessageStore() {
  clear();
  std::free(spare_);
}

MessageStore::Block* MessageStore::make_block(size_t words) noexcept {
  if (spare_ && spare_->size >= words) return std::exchange(spare_, nullptr);
  const size_t size = std::max(kBlockWords, words);
  auto* const block = static_cast<Block*>(std::malloc(sizeof(Block) + size * sizeof(uint32_t)));
  if (block) block->size = size;
  return block;
}

bool MessageStore::push(const uint32_t* messages, size_t words, uint32_t count) noexcept {
  if (!last_ || last_->size - last_->end < words) {
    Block* const block = make_block(words);
    if (!block) return false;
    block->next = nullptr;
    block->begin = block->end = 0;
    (last_ ? last_->next : first_) = block;
    last_ = block;
  }
  std::memcpy(last_->words() + last_->end, messages, words * sizeof(uint32_t));
  last_->end += words;
  count_ += count;
  return true;
}

bool MessageStore::push_front(const uint32_t* message, size_t words) noexcept {
  if (!first_ || first_->begin < words) {
    Block* const block = make_block(words);
    if (!block) return false;
    block->next = first_;
    block->begin = block->end = block->size;  // filled from its end, so that more fit before
    first_ = block;
    if (!last_) last_ = block;
  }
  first_->begin -= words;
  std::memcpy(first_->words() + first_->begin, message, words * sizeof(uint32_t));
  ++count_;
  return true;
}

uint32_t MessageStore::pop(uint32_t* into, size_t room, uint32_t most) noexcept {
  uint32_t popped = 0;
  size_t used = 0;
  while (first_ && popped < most) {
    const uint32_t* const from = first_->words() + first_->begin;
    const size_t there = std::min(first_->end - first_->begin, room - used);
    size_t words = 0;
    for (; popped < most && words < there; ++popped) {
      const size_t next = message::words_of(from + words);
      if (words + next > there) break;
      words += next;
    }
    std::memcpy(into + used, from, words * sizeof(uint32_t));
    used += words;
    first_->begin += words;
    if (first_->begin < first_->end) break;  // no room for more, or enough
    leave_block();
  }
  count_ -= popped;
  return popped;
}

void MessageStore::drop() noexcept {
  const uint32_t* oldest = first_->words() + first_->begin;
  const size_t words = message::words_of(oldest);
  message::drop(oldest, words);
  first_->begin += words;
  --count_;
  if (first_->begin == first_->end) leave_block();
}

void MessageStore::clear() noexcept {
  while (first_) {
    message::drop(first_->words() + first_->begin, first_->end - first_->begin);
    leave_block();
  }
  count_ = 0;
}

void MessageStore::leave_block() noexcept {
  Block* block = std::exchange(first_, first_->next);
  if (!first_) last_ = nullptr;
  if (!spare_) {
    spare_ = block;
  } else {
    std::free(block);
  }
}

}  // namespace offloop
