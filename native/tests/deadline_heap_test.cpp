#include "base/deadline_heap.hpp"

#include <gtest/gtest.h>

#include <deque>
#include <map>
#include <random>

#include "support/faults.hpp"

namespace offloop {
namespace {

struct Node {
  int64_t due_ns = 0;
  uint32_t heap_index = DeadlineHeap<Node>::kOutside;
};
using Heap = DeadlineHeap<Node>;

TEST(DeadlineHeap, gives_the_earliest_first) {
  Heap heap;
  Node nodes[] = {{30}, {10}, {20}, {10}};
  for (Node& node : nodes) heap.add(&node);
  EXPECT_EQ(heap.top()->due_ns, 10);
  for (int64_t due : {10, 10, 20, 30}) EXPECT_EQ(heap.pop()->due_ns, due);
  EXPECT_TRUE(heap.empty());
}

TEST(DeadlineHeap, knows_what_is_not_in_it) {
  Heap heap;
  Node in{1}, out{2};
  heap.add(&in);
  EXPECT_FALSE(heap.remove(&out));
  EXPECT_TRUE(heap.remove(&in));
  EXPECT_FALSE(heap.remove(&in));
  EXPECT_EQ(in.heap_index, Heap::kOutside);
}

TEST(DeadlineHeap, removes_the_last_the_first_and_the_only_one) {
  Heap heap;
  Node nodes[] = {{1}, {2}, {3}};
  for (Node& node : nodes) heap.add(&node);
  EXPECT_TRUE(heap.remove(&nodes[2]));
  EXPECT_TRUE(heap.remove(&nodes[0]));
  EXPECT_EQ(heap.top(), &nodes[1]);
  EXPECT_TRUE(heap.remove(&nodes[1]));
  EXPECT_TRUE(heap.empty());
}

TEST(DeadlineHeap, lifts_a_replacement_that_is_earlier_than_its_new_parent) {
  Heap heap;
  // As an array: 1 · 10 2 · 11 12 3 4. Removing 11 puts 4 below 10, from where it must rise.
  Node nodes[] = {{1}, {10}, {2}, {11}, {12}, {3}, {4}};
  for (Node& node : nodes) heap.add(&node);
  EXPECT_TRUE(heap.remove(&nodes[3]));
  for (int64_t due : {1, 2, 3, 4, 10, 12}) EXPECT_EQ(heap.pop()->due_ns, due);
}

TEST(DeadlineHeap, changes_nothing_when_there_is_no_memory) {
  Heap heap;
  Node node{1};
  {
    testing::FailingAllocations now;
    EXPECT_THROW(heap.add(&node), std::bad_alloc);
  }
  EXPECT_TRUE(heap.empty());
  EXPECT_EQ(node.heap_index, Heap::kOutside);
}

TEST(DeadlineHeap, agrees_with_a_sorted_map_over_random_work) {
  std::mt19937_64 random(2026);
  std::deque<Node> nodes(2'000);
  Heap heap;
  std::multimap<int64_t, Node*> model;
  for (int i = 0; i < 300'000; ++i) {
    Node& node = nodes[random() % nodes.size()];
    const bool inside = node.heap_index != Heap::kOutside;
    if (random() % 5 == 0 && !heap.empty()) {
      Node* first = heap.pop();
      ASSERT_EQ(first->due_ns, model.begin()->first);
      const auto [begin, end] = model.equal_range(first->due_ns);
      model.erase(std::find_if(begin, end, [&](const auto& each) { return each.second == first; }));
    } else if (inside) {
      ASSERT_TRUE(heap.remove(&node));
      const auto [begin, end] = model.equal_range(node.due_ns);
      model.erase(std::find_if(begin, end, [&](const auto& each) { return each.second == &node; }));
    } else {
      node.due_ns = static_cast<int64_t>(random() % 1'000);
      heap.add(&node);
      model.emplace(node.due_ns, &node);
    }
    ASSERT_EQ(heap.size(), model.size());
    if (!heap.empty()) {
      ASSERT_EQ(heap.top()->due_ns, model.begin()->first);
    }
  }
}

}  // namespace
}  // namespace offloop
