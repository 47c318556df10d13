// A list of intrusive nodes, first in, first out, with removal from the middle.
#pragma once

namespace offloop {

/// A node's place in one list. A node that is in several lists at a time has one for each.
template <class Node>
struct Place {
  Node* before = nullptr;
  Node* behind = nullptr;
  bool taken = false;
};

/// Of nodes whose place is the member `kPlace`. Everything is O(1). Thread: guarded by its owner's lock.
template <class Node, Place<Node> Node::* kPlace>
class LinkedList {
 public:
  bool empty() const noexcept { return !first_; }
  Node* first() const noexcept { return first_; }
  static Node* after(const Node& node) noexcept { return (node.*kPlace).behind; }
  static bool has(const Node& node) noexcept { return (node.*kPlace).taken; }

  /// Of a node that is in no such list.
  void append(Node& node) noexcept {
    node.*kPlace = {last_, nullptr, true};
    (last_ ? (last_->*kPlace).behind : first_) = &node;
    last_ = &node;
  }

  /// False if it was not in here.
  bool remove(Node& node) noexcept {
    Place<Node>& place = node.*kPlace;
    if (!place.taken) return false;
    (place.before ? (place.before->*kPlace).behind : first_) = place.behind;
    (place.behind ? (place.behind->*kPlace).before : last_) = place.before;
    place = {};
    return true;
  }

  /// nullptr: it is empty.
  Node* pop() noexcept {
    Node* const node = first_;
    if (node) remove(*node);
    return node;
  }

 private:
  Node* first_ = nullptr;
  Node* last_ = nullptr;
};

}  // namespace offloop
