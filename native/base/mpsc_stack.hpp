// The lock-free way home: many threads push chains of nodes, one thread takes them all.
//
// One word holds the whole state, so "was it empty?" and "did I add to it?" are one atomic step and no wake-up can be
// lost between them (a separate flag would need a full fence on both sides).
//
//   head_          meaning                                          push              consumer
//   nullptr        asleep: empty, the consumer waits for a ring     adds, must ring   wakes on the ring
//   awake()        empty, the consumer will look before it sleeps   adds              sleep() -> nullptr
//   closed()       the consumer is gone for good                    refused           -
//   a node         newest node first, ends in nullptr               adds              take() -> awake()
//
// Interleavings it survives:
// - push against sleep(): sleep() is a compare-exchange awake -> nullptr. If a push came first it fails and the consumer
//   looks again; if it came first the push finds nullptr and rings.
// - two pushes to an empty, sleeping stack: the compare-exchange lets one find nullptr; exactly that one rings.
// - push against take(): the node is either in the list that was taken or in the next one.
// - ABA: a node that was taken, recycled and pushed again while a slow push holds the old head changes nothing: a push
//   writes only its own node's link, and the head it linked to is still the head.
#pragma once

#include <atomic>
#include <cstdint>

#include "base/cpu.hpp"

namespace offloop {

/// Lifetime: nodes belong to the stack from push to take. `Node` needs a member `Node* next`, and a member `Node* ahead`
/// that may hold anything: when a push sets it to a node further down its chain, take() has that node's cache line on its
/// way while it is busy with this one. (Each line comes from another core, and following `next` alone would wait for one
/// after the other.)
template <class Node>
class MpscStack {
 public:
  enum class Pushed { quietly, must_ring, refused };

  /// Adds a chain `newest -> … -> oldest`, linked by `next`. Thread: any.
  Pushed push(Node* newest, Node* oldest) noexcept {
    Node* head = head_.load(std::memory_order_relaxed);  // only a guess: the compare-exchange checks it
    do {
      if (head == closed()) {
        (void)head_.load(std::memory_order_acquire);  // sees what the consumer wrote before it closed
        return Pushed::refused;
      }
      oldest->next = head == awake() ? nullptr : head;
      // release: the consumer that takes the chain sees what was written in its nodes. acquire on failure is not needed:
      // nothing behind `head` is read here.
    } while (!head_.compare_exchange_weak(head, newest, std::memory_order_release, std::memory_order_relaxed));
    return head == nullptr ? Pushed::must_ring : Pushed::quietly;
  }

  /// Takes everything, oldest first, and stays awake. Thread: the consumer.
  Node* take() noexcept {
    if (head_.load(std::memory_order_relaxed) == awake()) return nullptr;  // spares the consumer a locked write
    return reversed(head_.exchange(awake(), std::memory_order_acquire));
  }

  /// Goes to sleep if there is nothing: from now on a push must ring. False: there is something, take it.
  bool sleep() noexcept {
    Node* expected = awake();
    return head_.compare_exchange_strong(expected, nullptr, std::memory_order_relaxed) || expected == nullptr;
  }

  /// True when a take would find something. Thread: the consumer.
  bool has_mail() const noexcept {
    Node* head = head_.load(std::memory_order_relaxed);
    return head != awake() && head != nullptr && head != closed();
  }

  /// Refuses every later push and returns what was there. Thread: the consumer.
  /// acq_rel: takes the last nodes with what was written in them, and lets refused pushers see what came before.
  Node* close() noexcept { return reversed(head_.exchange(closed(), std::memory_order_acq_rel)); }

  /// Makes a closed stack ready for its next consumer. Nobody may be pushing.
  void reopen() noexcept { head_.store(nullptr, std::memory_order_relaxed); }

 private:
  // Never dereferenced: two addresses that no node can have.
  static Node* awake() noexcept { return reinterpret_cast<Node*>(uintptr_t{1}); }
  static Node* closed() noexcept { return reinterpret_cast<Node*>(uintptr_t{2}); }

  static Node* reversed(Node* newest) noexcept {
    if (newest == awake() || newest == closed()) return nullptr;
    Node* oldest_first = nullptr;
    while (newest) {
      fetch_early(newest->ahead);
      Node* older = newest->next;
      newest->next = oldest_first;
      oldest_first = newest;
      newest = older;
    }
    return oldest_first;
  }

  alignas(kCacheLine) std::atomic<Node*> head_{nullptr};
};

}  // namespace offloop
