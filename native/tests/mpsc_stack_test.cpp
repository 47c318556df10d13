#include "base/mpsc_stack.hpp"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

#include "platform/select.hpp"
#include "support/gate.hpp"

namespace offloop {
namespace {

struct Node {
  Node* next = nullptr;
  Node* ahead = nullptr;
  uint32_t producer = 0;
  uint32_t number = 0;
};
using Stack = MpscStack<Node>;
using Pushed = Stack::Pushed;

Pushed push(Stack& stack, Node& node) { return stack.push(&node, &node); }

size_t length(const Node* node) {
  size_t count = 0;
  for (; node; node = node->next) ++count;
  return count;
}

TEST(MpscStack, starts_asleep_so_that_the_first_push_rings) {
  Stack stack;
  Node node;
  EXPECT_FALSE(stack.has_mail());
  EXPECT_EQ(push(stack, node), Pushed::must_ring);
  EXPECT_TRUE(stack.has_mail());
}

TEST(MpscStack, stays_quiet_while_it_holds_mail_or_its_consumer_is_awake) {
  Stack stack;
  Node nodes[3];
  push(stack, nodes[0]);
  EXPECT_EQ(push(stack, nodes[1]), Pushed::quietly);
  EXPECT_EQ(length(stack.take()), 2u);
  EXPECT_EQ(push(stack, nodes[2]), Pushed::quietly);
}

TEST(MpscStack, is_awake_after_a_take_that_found_nothing) {
  Stack stack;
  Node node;
  EXPECT_EQ(stack.take(), nullptr);
  EXPECT_EQ(push(stack, node), Pushed::quietly);
}

TEST(MpscStack, rings_once_for_each_sleep) {
  Stack stack;
  Node nodes[4];
  stack.take();
  for (int round = 0; round < 3; ++round) {
    EXPECT_TRUE(stack.sleep());
    EXPECT_EQ(push(stack, nodes[0]), Pushed::must_ring);
    EXPECT_EQ(push(stack, nodes[1]), Pushed::quietly);
    EXPECT_EQ(length(stack.take()), 2u);
  }
}

TEST(MpscStack, does_not_sleep_on_mail) {
  Stack stack;
  Node node;
  stack.take();
  push(stack, node);
  EXPECT_FALSE(stack.sleep());
  EXPECT_EQ(stack.take(), &node);
}

TEST(MpscStack, may_be_put_to_sleep_twice) {
  Stack stack;
  stack.take();
  EXPECT_TRUE(stack.sleep());
  EXPECT_TRUE(stack.sleep());
  EXPECT_FALSE(stack.has_mail());
}

TEST(MpscStack, gives_back_chains_and_single_nodes_oldest_first) {
  Stack stack;
  Node nodes[4];
  for (uint32_t i = 0; i < 4; ++i) nodes[i].number = i;
  push(stack, nodes[0]);
  nodes[2].next = &nodes[1];
  stack.push(&nodes[2], &nodes[1]);
  push(stack, nodes[3]);
  uint32_t expected = 0;
  for (Node* node = stack.take(); node; node = node->next) EXPECT_EQ(node->number, expected++);
  EXPECT_EQ(expected, 4u);
}

TEST(MpscStack, refuses_pushes_once_closed_and_hands_out_what_it_held) {
  Stack stack;
  Node nodes[3];
  push(stack, nodes[0]);
  push(stack, nodes[1]);
  EXPECT_EQ(length(stack.close()), 2u);
  EXPECT_EQ(push(stack, nodes[2]), Pushed::refused);
  EXPECT_FALSE(stack.has_mail());
  EXPECT_EQ(stack.close(), nullptr);
}

TEST(MpscStack, takes_pushes_again_after_it_reopens) {
  Stack stack;
  Node node;
  stack.close();
  stack.reopen();
  EXPECT_EQ(push(stack, node), Pushed::must_ring);
  EXPECT_EQ(stack.take(), &node);
}

/// Four producers against one consumer that sleeps on a wake handle whenever it finds nothing.
class MpscStackUnderLoad : public ::testing::Test {
 protected:
  static constexpr uint32_t kProducers = 4;
  static constexpr uint32_t kPushes = 200'000;

  void SetUp() override {
    int error = 0;
    poller_ = Poller::open(error);
    ASSERT_TRUE(poller_);
    wake_ = WakeHandle::open(*poller_, error);
    ASSERT_TRUE(wake_);
    for (auto& nodes : nodes_) nodes.resize(kPushes);
  }

  /// `chain` nodes go in with each push.
  void produce(uint32_t chain) {
    for (uint32_t p = 0; p < kProducers; ++p) {
      producers_.emplace_back([this, p, chain] {
        for (uint32_t i = 0; i < kPushes; i += chain) {
          for (uint32_t k = i; k < i + chain; ++k) {
            nodes_[p][k] = {k > i ? &nodes_[p][k - 1] : nullptr, nullptr, p, k};
          }
          switch (stack_.push(&nodes_[p][i + chain - 1], &nodes_[p][i])) {
            case Pushed::must_ring:
              ++rings_;
              wake_->ring();
              break;
            case Pushed::refused:
              refused_ += chain;
              break;
            case Pushed::quietly:
              break;
          }
        }
      });
    }
  }

  /// Returns false when no ring came although there must be more.
  bool sleep_until_rung() {
    Ready ready[2];
    const bool rung = poller_->wait(ready, testing::kPatience) > 0;
    wake_->clear();
    return rung;
  }

  void join() {
    for (std::thread& producer : producers_) producer.join();
  }

  Stack stack_;
  std::unique_ptr<Poller> poller_;
  std::unique_ptr<WakeHandle> wake_;
  std::vector<Node> nodes_[kProducers];
  std::vector<std::thread> producers_;
  std::atomic<uint64_t> rings_{0};
  std::atomic<uint32_t> refused_{0};
};

TEST_F(MpscStackUnderLoad, loses_nothing_repeats_nothing_and_rings_exactly_when_asleep) {
  produce(1);
  uint32_t next[kProducers] = {};
  uint32_t seen = 0;
  uint64_t sleeps_ended_by_mail = 0;
  bool asleep = true;  // from the start
  while (seen < kProducers * kPushes) {
    Node* node = stack_.take();
    sleeps_ended_by_mail += asleep && node;
    asleep = !node && stack_.sleep();
    if (asleep && !sleep_until_rung()) break;
    for (; node; node = node->next, ++seen) {
      ASSERT_EQ(node->number, next[node->producer]++) << "producer " << node->producer;
    }
  }
  join();
  EXPECT_EQ(seen, kProducers * kPushes);
  EXPECT_EQ(rings_, sleeps_ended_by_mail);
}

TEST_F(MpscStackUnderLoad, keeps_chains_whole) {
  constexpr uint32_t kChain = 8;
  produce(kChain);
  uint32_t seen = 0;
  while (seen < kProducers * kPushes) {
    Node* node = stack_.take();
    if (!node && stack_.sleep()) {
      if (!sleep_until_rung()) break;
      continue;
    }
    while (node) {
      ASSERT_EQ(node->number % kChain, 0u);
      const uint32_t producer = node->producer;
      for (uint32_t k = 0; k < kChain; ++k, node = node->next, ++seen) {
        ASSERT_NE(node, nullptr);
        ASSERT_EQ(node->producer, producer);
        ASSERT_EQ(node->number % kChain, k);
      }
    }
  }
  join();
  EXPECT_EQ(seen, kProducers * kPushes);
}

TEST_F(MpscStackUnderLoad, accounts_for_every_node_when_it_closes_under_fire) {
  produce(1);
  uint32_t seen = 0;
  while (seen < kPushes) {
    Node* node = stack_.take();
    if (!node && stack_.sleep() && !sleep_until_rung()) break;
    seen += static_cast<uint32_t>(length(node));
  }
  seen += static_cast<uint32_t>(length(stack_.close()));
  join();
  EXPECT_EQ(seen + refused_, kProducers * kPushes);
}

}  // namespace
}  // namespace offloop
