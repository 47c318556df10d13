#include "core/queue.hpp"

#include <algorithm>
#include <map>
#include <new>
#include <utility>

#include "base/patient_lock.hpp"
#include "core/message.hpp"

namespace offloop {
namespace {

/// Of the room that is left, a sender is promised no more than this part beyond the first message: others may want some, too.
constexpr uint32_t kFairShare = 8;

struct List {
  std::mutex mutex;
  std::map<std::string, std::weak_ptr<Queue>> queues;
};
// Never destroyed: tasks may still let go of queues while static destructors run.
List& list() {
  static List* const it = new List;
  return *it;
}

void wake_all(const std::vector<Waker>& wakers) noexcept {
  for (const Waker& waker : wakers) waker.wake();
}

}  // namespace

Queue::~Queue() {
  std::lock_guard lock(list().mutex);
  if (!id_.empty()) list().queues.erase(id_);
}

uint32_t Queue::free_room() const noexcept {
  const uint64_t used = uint64_t{store_.count()} + lent_ + promised_;
  return used < options_.capacity ? options_.capacity - static_cast<uint32_t>(used) : 0;
}

Queue::Room Queue::reserve(uint32_t wanted) noexcept {
  PatientLock lock(mutex_);
  Room room;
  room.closed = closed_;
  if (closed_) return room;
  if (options_.overflow == Overflow::drop_oldest) {
    room.messages = wanted;
  } else if (const uint32_t free = free_room()) {
    room.messages = std::min(wanted, std::max(1u, free / kFairShare));
  } else if (options_.overflow == Overflow::drop_newest) {
    ++counts_.dropped;
  }
  promised_ += room.messages;
  room.awaited = static_cast<bool>(receiving_);
  return room;
}

bool Queue::commit(const uint32_t* messages, size_t words, uint32_t count, uint32_t unused) noexcept {
  std::vector<Waker> senders;
  Waker receiver;
  bool wanted = true;
  bool stored = true;
  {
    PatientLock lock(mutex_);
    promised_ -= count + unused;
    wanted = !abandoned_;
    if (count > 0 && wanted) {
      stored = store_.push(messages, words, count);
      if (stored) {
        counts_.sent += count;
        if (options_.overflow == Overflow::drop_oldest) drop_oldest();
        counts_.high_water = std::max(counts_.high_water, store_.count() + lent_);
      }
    }
    if (unused > 0 || !stored) senders = take_senders();
    receiver = take_receiver();
  }
  if (!wanted || !stored) message::drop(messages, words);
  receiver.wake();
  wake_all(senders);
  return stored;
}

void Queue::drop_oldest() noexcept {
  while (store_.count() > 0 && store_.count() + lent_ > options_.capacity) {
    store_.drop();
    ++counts_.dropped;
  }
}

bool Queue::await_room(const Waker& waker) noexcept {
  PatientLock lock(mutex_);
  if (closed_ || free_room() > 0) return true;
  // It may still be there from a wait that was given up.
  if (std::find(sending_.begin(), sending_.end(), waker) != sending_.end()) return false;
  try {
    sending_.push_back(waker);
    return false;
  } catch (const std::bad_alloc&) {
    return true;  // it looks again and again, until there is memory or room
  }
}

void Queue::forget(const Waker& waker) noexcept {
  PatientLock lock(mutex_);
  std::erase(sending_, waker);
}

void Queue::disclaim(const void* who) noexcept {
  PatientLock lock(mutex_);
  if (receiver_ != who) return;
  receiver_ = nullptr;
  receiving_ = Waker();
}

Queue::Taken Queue::take(const void* who, Wish wish, std::span<uint32_t> room, const Waker& waker) noexcept {
  Taken taken;
  std::vector<Waker> senders;
  {
    PatientLock lock(mutex_);
    if (receiver_ && receiver_ != who) {
      taken.refused = true;
      return taken;
    }
    receiver_ = who;
    hand_back(wish.received);
    taken.messages = store_.pop(room.data(), room.size(), wish.most);
    if (wish.lends) {
      lent_ += taken.messages;
    } else {
      counts_.received += taken.messages;
    }
    if (taken.messages == 0) {
      taken.ended = has_ended();
      if (!taken.ended) receiving_ = waker;
    }
    if (wish.received > 0 || !wish.lends) senders = take_senders();
  }
  wake_all(senders);
  return taken;
}

void Queue::receive(uint32_t count) noexcept {
  std::vector<Waker> senders;
  {
    PatientLock lock(mutex_);
    hand_back(count);
    senders = take_senders();
  }
  wake_all(senders);
}

bool Queue::take_back(const uint32_t* message, size_t words) noexcept {
  bool stored = true;
  bool wanted = true;
  {
    PatientLock lock(mutex_);
    wanted = lent_ > 0;  // it may have been abandoned
    if (wanted) stored = store_.push_front(message, words);
    if (wanted && stored) --lent_;
  }
  if (!wanted || !stored) message::drop(message, words);
  return stored;
}

void Queue::hand_back(uint32_t count) noexcept {
  count = std::min(count, lent_);  // it may have been abandoned
  lent_ -= count;
  counts_.received += count;
}

void Queue::close() noexcept {
  std::vector<Waker> senders;
  Waker receiver;
  {
    PatientLock lock(mutex_);
    closed_ = true;
    senders = take_senders();
    receiver = take_receiver();
  }
  receiver.wake();
  wake_all(senders);
}

void Queue::abandon() noexcept {
  std::vector<Waker> senders;
  Waker receiver;
  {
    PatientLock lock(mutex_);
    closed_ = abandoned_ = true;
    counts_.dropped += store_.count() + lent_;
    store_.clear();
    lent_ = 0;
    receiver_ = nullptr;
    senders = take_senders();
    receiver = take_receiver();  // a task may receive in place of the one that is gone
  }
  receiver.wake();
  wake_all(senders);
}

std::vector<Waker> Queue::take_senders() noexcept {
  return closed_ || free_room() > 0 ? std::exchange(sending_, {}) : std::vector<Waker>();
}

Waker Queue::take_receiver() noexcept {
  return store_.count() > 0 || has_ended() ? std::exchange(receiving_, Waker()) : Waker();
}

bool Queue::closed() noexcept {
  PatientLock lock(mutex_);
  return closed_;
}

Queue::Counts Queue::counts() noexcept {
  PatientLock lock(mutex_);
  Counts counts = counts_;
  counts.held = store_.count() + lent_;
  return counts;
}

std::string Queue::publish(const std::shared_ptr<Queue>& queue, const std::string& id) {
  std::lock_guard lock(list().mutex);
  if (queue->id_.empty()) {
    std::string kept = id;
    list().queues.emplace(id, queue);
    queue->id_ = std::move(kept);
  }
  return queue->id_;
}

std::shared_ptr<Queue> Queue::find(const std::string& id) noexcept {
  std::lock_guard lock(list().mutex);
  const auto place = list().queues.find(id);
  return place == list().queues.end() ? nullptr : place->second.lock();
}

}  // namespace offloop
