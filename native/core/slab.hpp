// The tasks of one environment, by slot.
#pragma once

#include <cstdint>
#include <memory>
#include <new>
#include <vector>

#include "core/task.hpp"
#include "platform/pages.hpp"

namespace offloop {

/// Chunks of tasks that never move, so that a slot number is all JavaScript needs. Thread: the loop's.
class Slab {
 public:
  static constexpr uint32_t kChunk = 1024;

  /// The task of a slot, made if needed. Throws std::bad_alloc.
  Task& at(uint32_t slot) {
    const uint32_t chunk = slot / kChunk;
    if (chunk >= chunks_.size() || !chunks_[chunk]) grow(chunk);
    return chunks_[chunk][slot % kChunk];
  }

  /// Asks for the cache lines of a slot that will be written soon: the first, or all. The slot exists.
  void fetch(uint32_t slot, bool whole) const noexcept {
    const Task* task = &chunks_[slot / kChunk][slot % kChunk];
    fetch_early(task);
    if (!whole) return;
    for (size_t offset = kCacheLine; offset < sizeof(Task); offset += kCacheLine) {
      fetch_early(reinterpret_cast<const char*>(task) + offset);
    }
  }

  /// Calls `visit(task)` for each task in flight.
  template <class Visit>
  void each_in_flight(Visit&& visit) {
    for (auto& chunk : chunks_) {
      if (!chunk) continue;
      for (uint32_t i = 0; i < kChunk; ++i) {
        if (chunk[i].in_flight) visit(chunk[i]);
      }
    }
  }

  /// Gives back all but the first `keep` chunks. None of their tasks may be in flight.
  void trim(size_t keep) {
    if (chunks_.size() > keep) chunks_.resize(keep);
  }

 private:
  void grow(uint32_t chunk) {
    if (chunk >= chunks_.size()) chunks_.resize(chunk + 1);
    chunks_[chunk] = make_chunk();
  }

  struct Unmap {
    void operator()(Task* tasks) const noexcept {
      std::destroy_n(tasks, kChunk);
      unmap_pages(tasks, kChunk * sizeof(Task));
    }
  };
  using Chunk = std::unique_ptr<Task[], Unmap>;

  static Chunk make_chunk() {
    void* pages = map_pages(kChunk * sizeof(Task));
    if (!pages) throw std::bad_alloc();
    auto* tasks = static_cast<Task*>(pages);
    std::uninitialized_default_construct_n(tasks, kChunk);
    return Chunk(tasks);
  }

  std::vector<Chunk> chunks_;
};

}  // namespace offloop
