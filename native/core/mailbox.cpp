#include "core/mailbox.hpp"

#include <vector>

#include "core/signal.hpp"

namespace offloop {
namespace {

struct Shelf {
  std::mutex mutex;
  std::vector<Mailbox*> unused;
};
// Never destroyed: workers may still come home while static destructors run.
Shelf& shelf() {
  static Shelf* const it = new Shelf;
  return *it;
}

}  // namespace

Mailbox* Mailbox::open() {
  auto slab = std::make_unique<Slab>();
  Mailbox* mailbox = nullptr;
  {
    std::lock_guard lock(shelf().mutex);
    if (!shelf().unused.empty()) {
      mailbox = shelf().unused.back();
      shelf().unused.pop_back();
    }
  }
  if (!mailbox) mailbox = new Mailbox;
  mailbox->slab_ = std::move(slab);
  mailbox->stack_.reopen();
  return mailbox;
}

bool Mailbox::put(Letter* newest, Letter* oldest, uint32_t count) noexcept {
  const auto pushed = stack_.push(newest, oldest);
  // acq_rel: the last one home frees what all of them wrote to
  if (pushed == MpscStack<Letter>::Pushed::refused &&
      outstanding_.fetch_sub(count, std::memory_order_acq_rel) == count) {
    recycle();
  }
  return pushed == MpscStack<Letter>::Pushed::must_ring;
}

bool Mailbox::put_notice(Letter& notice) noexcept {
  notice.ahead = nullptr;
  return stack_.push(&notice, &notice) == MpscStack<Letter>::Pushed::must_ring;
}

void Mailbox::connect(Ring ring, void* context) noexcept {
  std::lock_guard lock(bell_mutex_);
  ring_ = ring;
  context_ = context;
}

void Mailbox::ring() noexcept {
  std::lock_guard lock(bell_mutex_);
  if (ring_) ring_(context_);
}

void Mailbox::abandon(uint32_t outstanding) noexcept {
  connect(nullptr, nullptr);
  // One more than are out, so that nobody can reach zero before the last mail is counted below.
  outstanding_.store(outstanding + 1, std::memory_order_relaxed);  // published by close()
  uint32_t home = 1;
  for (Letter* letter = stack_.close(); letter;) {
    Letter* next = letter->next;
    if (letter->is(Letter::Kind::signal)) {
      static_cast<Signal*>(letter)->arrive();  // and may be gone
    } else {
      home += !letter->is(Letter::Kind::notice);
    }
    letter = next;
  }
  if (outstanding_.fetch_sub(home, std::memory_order_acq_rel) == home) recycle();
}

void Mailbox::recycle() noexcept {
  slab_.reset();
  std::lock_guard lock(shelf().mutex);
  try {
    shelf().unused.push_back(this);
  } catch (...) {
    // no memory to remember it: it is lost, and nothing else
  }
}

}  // namespace offloop
