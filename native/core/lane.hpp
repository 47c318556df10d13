// A queue of tasks, first in, first out.
#pragma once

#include <cstdint>
#include <memory>

#include "core/task.hpp"

namespace offloop {

/// A ring of pointers: neighbours share cache lines, and the tasks themselves stay untouched until
/// a worker runs them. A task leaves from the middle in O(1): its cell is emptied.
class Lane {
 public:
  bool empty() const noexcept { return live_ == 0; }
  uint32_t size() const noexcept { return live_; }

  /// Throws std::bad_alloc, and has then changed nothing.
  void push(Task* task) {
    if (tail_ - head_ == capacity_) grow();
    task->position = tail_;
    cells_[tail_++ & (capacity_ - 1)] = task;
    ++live_;
  }
  /// The first task, which must exist.
  Task* front() noexcept {
    while (!cells_[head_ & (capacity_ - 1)]) ++head_;
    return cells_[head_ & (capacity_ - 1)];
  }
  Task* pop() noexcept {
    Task* task = front();
    ++head_;
    took();
    return task;
  }
  void remove(Task* task) noexcept {
    cells_[task->position & (capacity_ - 1)] = nullptr;
    took();
  }

 private:
  static constexpr uint32_t kFirstCapacity = 64;
  static constexpr uint32_t kKeptCapacity = 4096;

  void took() noexcept {
    if (--live_ > 0) return;
    head_ = tail_ = 0;
    if (capacity_ > kKeptCapacity) {  // a burst is over: give its memory back
      cells_.reset();
      capacity_ = 0;
    }
  }
  /// Makes room, dropping emptied cells on the way so that cancelled tasks do not make the ring grow.
  void grow() {
    const uint32_t wanted = live_ >= capacity_ / 2 ? (capacity_ ? capacity_ * 2 : kFirstCapacity) : capacity_;
    std::unique_ptr<Task*[]> cells(new Task*[wanted]);
    uint32_t count = 0;
    for (uint32_t i = head_; i != tail_; ++i) {
      Task* task = cells_[i & (capacity_ - 1)];
      if (!task) continue;
      task->position = count;
      cells[count++] = task;
    }
    cells_ = std::move(cells);
    capacity_ = wanted;
    head_ = 0;
    tail_ = count;
  }

  std::unique_ptr<Task*[]> cells_;
  uint32_t capacity_ = 0;  // a power of two
  uint32_t head_ = 0;      // free-running
  uint32_t tail_ = 0;
  uint32_t live_ = 0;
};

}  // namespace offloop
