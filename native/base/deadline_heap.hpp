// A binary heap of intrusive nodes, earliest deadline first, with removal from the middle.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace offloop {

/// `Node` needs `int64_t due_ns` and `uint32_t heap_index`, which is kOutside while it is in no heap.
/// add, remove and pop are O(log n); top is O(1). Thread: guarded by its owner's lock.
template <class Node>
class DeadlineHeap {
 public:
  static constexpr uint32_t kOutside = UINT32_MAX;

  bool empty() const noexcept { return nodes_.empty(); }
  size_t size() const noexcept { return nodes_.size(); }
  Node* top() const noexcept { return nodes_.front(); }

  /// Throws std::bad_alloc, and has then changed nothing.
  void add(Node* node) {
    nodes_.push_back(node);
    node->heap_index = static_cast<uint32_t>(nodes_.size() - 1);
    rise(node->heap_index);
  }

  /// False if it was not in here.
  bool remove(Node* node) noexcept {
    const uint32_t index = node->heap_index;
    if (index == kOutside) return false;
    Node* last = nodes_.back();
    nodes_.pop_back();
    node->heap_index = kOutside;
    if (last != node) {
      place(last, index);
      rise(index);
      sink(last->heap_index);
    }
    return true;
  }

  Node* pop() noexcept {
    Node* first = top();
    remove(first);
    return first;
  }

 private:
  void place(Node* node, uint32_t index) noexcept {
    nodes_[index] = node;
    node->heap_index = index;
  }
  void rise(uint32_t index) noexcept {
    Node* node = nodes_[index];
    while (index > 0) {
      const uint32_t parent = (index - 1) / 2;
      if (nodes_[parent]->due_ns <= node->due_ns) break;
      place(nodes_[parent], index);
      index = parent;
    }
    place(node, index);
  }
  void sink(uint32_t index) noexcept {
    Node* node = nodes_[index];
    for (;;) {
      uint32_t child = 2 * index + 1;
      if (child >= nodes_.size()) break;
      if (child + 1 < nodes_.size() && nodes_[child + 1]->due_ns < nodes_[child]->due_ns) ++child;
      if (node->due_ns <= nodes_[child]->due_ns) break;
      place(nodes_[child], index);
      index = child;
    }
    place(node, index);
  }

  std::vector<Node*> nodes_;
};

}  // namespace offloop
