// Where an environment's finished tasks arrive, and the doorbell that says so.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>

#include "base/mpsc_stack.hpp"
#include "core/slab.hpp"
#include "core/task.hpp"

namespace offloop {

/// One per environment. Owns the environment's slab, because tasks may outlive the environment: the last one home
/// frees it.
///
/// Lifetime: mailboxes are never freed but handed on to the next environment, so that a worker that was about to ring
/// when its environment died rings a silent or, at worst, somebody else's bell: a spurious wake-up, never a stale pointer.
class Mailbox {
 public:
  using Ring = void (*)(void* context) noexcept;

  /// A mailbox for a new environment. Throws std::bad_alloc.
  static Mailbox* open();

  /// Delivers a chain `newest -> … -> oldest` of `count` finished tasks. Thread: any.
  void post(Letter* newest, Letter* oldest, uint32_t count) noexcept {
    if (put(newest, oldest, count)) ring();
  }
  /// The same in two steps. True: `ring()` must follow.
  bool put(Letter* newest, Letter* oldest, uint32_t count) noexcept;
  void ring() noexcept;
  void post(Task* task) noexcept { post(task, task, 1); }
  /// Delivers what is no task: news about one that stays out, and keeps the mailbox in use, or a signal. Thread: any.
  void post_notice(Letter& notice) noexcept {
    if (put_notice(notice)) ring();
  }
  bool put_notice(Letter& notice) noexcept;

  // --- the owner's side; thread: the loop's ---
  Slab& slab() noexcept { return *slab_; }
  Letter* take() noexcept { return stack_.take(); }
  bool sleep() noexcept { return stack_.sleep(); }
  bool has_mail() const noexcept { return stack_.has_mail(); }
  /// Sets what a ring does; nullptr silences it. After it returns nobody is inside the old one.
  void connect(Ring ring, void* context) noexcept;
  /// The environment is gone, and has closed its signals: `outstanding` tasks are still out and come home to nobody.
  void abandon(uint32_t outstanding) noexcept;

 private:
  void recycle() noexcept;

  MpscStack<Letter> stack_;
  std::mutex bell_mutex_;
  Ring ring_ = nullptr;
  void* context_ = nullptr;
  std::atomic<uint32_t> outstanding_{0};
  std::unique_ptr<Slab> slab_;
};

}  // namespace offloop
