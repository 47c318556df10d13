#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <string>

#include "support/queue_fixture.hpp"

namespace offloop {
namespace {

using testing::Numbers;
using testing::QueueTest;
using testing::text;
using testing::Words;
using testing::write;

TEST_F(QueueTest, hands_out_messages_in_the_order_they_were_put_in) {
  open(100);
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(send(i));
  EXPECT_EQ(take(2), (Numbers{0, 1}));
  EXPECT_EQ(take(), (Numbers{2, 3, 4}));
  EXPECT_EQ(take(), Numbers());
  EXPECT_FALSE(taken_.ended);
}

TEST_F(QueueTest, promises_no_more_room_than_it_has) {
  open(3);
  EXPECT_EQ(queue_->reserve(100).messages, 1u) << "others may want some, too";
  EXPECT_EQ(queue_->reserve(100).messages, 1u);
  EXPECT_EQ(queue_->reserve(100).messages, 1u);
  EXPECT_EQ(queue_->reserve(100).messages, 0u);
  queue_->commit(nullptr, 0, 0, 2);
  EXPECT_EQ(queue_->reserve(1).messages, 1u);
  open(800);
  EXPECT_EQ(queue_->reserve(1000).messages, 100u);
}

TEST_F(QueueTest, keeps_the_room_of_messages_that_are_lent) {
  open(2);
  EXPECT_TRUE(send(1) && send(2));
  EXPECT_EQ(take({0, 10, true}), (Numbers{1, 2}));
  EXPECT_FALSE(send(3));
  queue_->receive(1);
  EXPECT_TRUE(send(3));
  EXPECT_FALSE(send(4));
  EXPECT_EQ(take({1, 10, true}), (Numbers{3}));
  const Queue::Counts counts = queue_->counts();
  EXPECT_EQ(counts.sent, 3u);
  EXPECT_EQ(counts.received, 2u);
  EXPECT_EQ(counts.held, 1u);
  EXPECT_EQ(counts.high_water, 2u);
}

TEST_F(QueueTest, takes_messages_back_that_were_lent) {
  open(4);
  for (int i = 1; i <= 4; ++i) EXPECT_TRUE(send(i));
  EXPECT_EQ(take({0, 3, true}), (Numbers{1, 2, 3}));
  queue_->receive(1);
  EXPECT_TRUE(send(5));
  for (const double number : {3.0, 2.0}) {
    Words words;
    write(words, Value::of(number));
    EXPECT_TRUE(queue_->take_back(words.data(), words.size()));
  }
  EXPECT_EQ(queue_->counts().received, 1u);
  EXPECT_EQ(queue_->counts().held, 4u);
  EXPECT_FALSE(send(6)) << "they have their room";
  queue_->disclaim(this);
  int other = 0;
  EXPECT_EQ(queue_->take(&other, {0, 1, false}, room_, waker_).messages, 1u);
  EXPECT_EQ(message::read(room_.data(), nullptr).number, 2);
  queue_->disclaim(&other);
  EXPECT_EQ(take(), (Numbers{3, 4, 5}));
}

TEST_F(QueueTest, takes_back_messages_of_all_sizes) {
  open(1'000);
  constexpr int kCount = 300;
  std::vector<std::string> texts;
  for (int i = 0; i < kCount; ++i)
    texts.emplace_back(static_cast<size_t>(i * 37 % 4'000), static_cast<char>('a' + i % 26));
  for (int i = 0; i < kCount; ++i) {
    Words words;
    write(words, text(texts[i]));
    EXPECT_EQ(queue_->reserve(1).messages, 1u);
    EXPECT_TRUE(queue_->commit(words.data(), words.size(), 1, 0));
  }
  const auto take_one = [&] {
    EXPECT_EQ(queue_->take(this, {0, 1, true}, room_, waker_).messages, 1u);
    const Value value = message::read(room_.data(), nullptr);
    const std::string copy(reinterpret_cast<const char*>(value.bytes), value.size);
    message::drop(room_.data(), message::words_of(room_.data()));
    return copy;
  };
  for (int i = 0; i < kCount - 10; ++i) EXPECT_EQ(take_one(), texts[i]);
  for (int i = kCount - 10; i-- > 0;) {
    Words words;
    write(words, text(texts[i]));
    EXPECT_TRUE(queue_->take_back(words.data(), words.size()));
  }
  for (int i = 0; i < kCount; ++i) EXPECT_EQ(take_one(), texts[i]);
  Words words;
  write(words, text(texts[kCount - 1]));
  EXPECT_TRUE(queue_->take_back(words.data(), words.size()));
  queue_->abandon();
  words.clear();
  write(words, text(texts[kCount - 1]));
  EXPECT_TRUE(queue_->take_back(words.data(), words.size())) << "nobody wants it";
  EXPECT_EQ(queue_->counts().held, 0u);
}

TEST_F(QueueTest, drops_the_oldest_where_that_is_its_policy) {
  open(2, Overflow::drop_oldest);
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(send(i));
  EXPECT_EQ(take(), (Numbers{3, 4}));
  EXPECT_EQ(queue_->counts().dropped, 3u);
  EXPECT_EQ(queue_->counts().high_water, 2u);
}

TEST_F(QueueTest, counts_the_newest_as_dropped_where_that_is_its_policy) {
  open(2, Overflow::drop_newest);
  EXPECT_TRUE(send(0) && send(1));
  EXPECT_FALSE(send(2));
  EXPECT_EQ(take(), (Numbers{0, 1}));
  EXPECT_EQ(queue_->counts().dropped, 1u);
}

TEST_F(QueueTest, wakes_the_receiver_once_when_something_comes) {
  open(10);
  EXPECT_FALSE(queue_->reserve(1).awaited);
  queue_->commit(nullptr, 0, 0, 1);
  take();
  EXPECT_TRUE(queue_->reserve(1).awaited);
  queue_->commit(nullptr, 0, 0, 1);
  EXPECT_TRUE(queue_->reserve(1).awaited) << "nothing has come";
  queue_->commit(nullptr, 0, 0, 1);
  send(1);
  EXPECT_TRUE(is_woken(parker_));
  EXPECT_FALSE(queue_->reserve(1).awaited);
}

TEST_F(QueueTest, wakes_all_who_wait_for_room_when_there_is_some) {
  open(1);
  send(1);
  const auto other = std::make_shared<Parker>();
  EXPECT_FALSE(queue_->await_room(waker_));
  EXPECT_FALSE(queue_->await_room(Waker(other)));
  take();
  EXPECT_TRUE(is_woken(parker_));
  EXPECT_TRUE(is_woken(other));
  EXPECT_TRUE(queue_->await_room(waker_)) << "there is room";
}

TEST_F(QueueTest, has_room_again_when_a_sender_gives_its_own_back) {
  open(1);
  EXPECT_EQ(queue_->reserve(1).messages, 1u);
  EXPECT_FALSE(queue_->await_room(waker_));
  queue_->commit(nullptr, 0, 0, 1);
  EXPECT_TRUE(is_woken(parker_));
}

TEST_F(QueueTest, is_drained_after_it_was_closed_and_then_ends) {
  open(10);
  send(1);
  const Queue::Room promised = queue_->reserve(1);
  queue_->close();
  EXPECT_TRUE(queue_->closed());
  EXPECT_TRUE(queue_->reserve(1).closed);
  EXPECT_EQ(take(), (Numbers{1}));
  EXPECT_EQ(take(), Numbers());
  EXPECT_FALSE(taken_.ended) << "room was promised for one more";
  Words words;
  write(words, Value::of(2.0));
  EXPECT_TRUE(queue_->commit(words.data(), words.size(), promised.messages, 0));
  EXPECT_EQ(take(), (Numbers{2}));
  EXPECT_EQ(take(), Numbers());
  EXPECT_TRUE(taken_.ended);
}

TEST_F(QueueTest, wakes_both_sides_when_it_is_closed) {
  open(1);
  take();
  queue_->close();
  EXPECT_TRUE(is_woken(parker_)) << "the receiver";
  open(1);
  send(1);
  EXPECT_FALSE(queue_->await_room(waker_));
  queue_->close();
  EXPECT_TRUE(is_woken(parker_)) << "the sender";
}

TEST_F(QueueTest, wakes_the_receiver_when_promised_room_is_given_back_after_it_was_closed) {
  open(1);
  EXPECT_EQ(queue_->reserve(1).messages, 1u);
  take();
  queue_->close();
  queue_->commit(nullptr, 0, 0, 1);
  EXPECT_TRUE(is_woken(parker_));
  take();
  EXPECT_TRUE(taken_.ended);
}

TEST_F(QueueTest, has_one_receiver_at_a_time) {
  open(10);
  send(1);
  int other = 0;
  take(0);
  EXPECT_TRUE(queue_->take(&other, {0, 1, false}, room_, waker_).refused);
  queue_->disclaim(&other);
  EXPECT_TRUE(queue_->take(&other, {0, 1, false}, room_, waker_).refused) << "it was not its own";
  queue_->disclaim(this);
  EXPECT_EQ(queue_->take(&other, {0, 1, false}, room_, waker_).messages, 1u);
}

TEST_F(QueueTest, drops_everything_once_nobody_can_receive) {
  open(10);
  send(1);
  const std::string large(10'000, 'x');
  Words words;
  write(words, text(large));
  EXPECT_EQ(queue_->reserve(1).messages, 1u);
  queue_->abandon();
  EXPECT_TRUE(queue_->commit(words.data(), words.size(), 1, 0));  // LeakSanitizer would see what is not freed
  EXPECT_TRUE(queue_->reserve(1).closed);
  EXPECT_EQ(queue_->counts().held, 0u);
  EXPECT_EQ(queue_->counts().dropped, 1u);
}

TEST_F(QueueTest, tells_a_receiver_that_sleeps_when_nobody_else_has_it_any_more) {
  open(10);
  int maker = 0;
  EXPECT_EQ(queue_->take(&maker, {0, 1, false}, room_, waker_).messages, 0u);
  queue_->disclaim(&maker);
  take();
  queue_->abandon();
  EXPECT_TRUE(is_woken(parker_));
  take();
  EXPECT_TRUE(taken_.ended);
}

TEST_F(QueueTest, has_ended_for_everybody_when_its_receiver_goes_for_good) {
  open(10);
  int maker = 0;
  EXPECT_EQ(queue_->take(&maker, {0, 1, false}, room_, waker_).messages, 0u);
  queue_->abandon();
  take();
  EXPECT_FALSE(taken_.refused);
  EXPECT_TRUE(taken_.ended);
}

TEST_F(QueueTest, keeps_nothing_of_a_sender_that_has_given_up) {
  open(1, Overflow::wait);
  EXPECT_TRUE(send(1));
  auto gone = std::make_shared<Parker>();
  EXPECT_FALSE(queue_->await_room(Waker(gone)));
  EXPECT_FALSE(queue_->await_room(waker_));
  queue_->forget(Waker(gone));
  EXPECT_EQ(gone.use_count(), 1);
  take();
  EXPECT_TRUE(is_woken(parker_)) << "the other one";
}

TEST_F(QueueTest, remembers_once_who_waits_for_room_again_and_again) {
  open(1, Overflow::wait);
  ASSERT_TRUE(send(1));
  auto sender = std::make_shared<Parker>();
  for (int i = 0; i < 3; ++i) EXPECT_FALSE(queue_->await_room(Waker(sender)));
  EXPECT_EQ(sender.use_count(), 2);
  take();
  EXPECT_TRUE(is_woken(sender));
  EXPECT_EQ(sender.use_count(), 1);
}

TEST_F(QueueTest, carries_values_of_every_kind) {
  open(100);
  const std::string large(message::kShortBytes + 1, 'l');
  const std::array<Value, 5> items{Value::of(1.5), text("é"), text(large), Value::null(), Value::of(true)};
  const std::vector<Value> values{
      Value::undefined(),
      Value::null(),
      Value::of(true),
      Value::of(-0.5),
      Value::of(INT64_MIN),
      text(""),
      text("1234567"),
      text("12345678"),
      text(large),
      Value::tuple(items.data(), items.size()),
      Value::tuple(nullptr, 0),
  };
  Words words;
  for (const Value& value : values) {
    EXPECT_TRUE(message::fits(value));
    write(words, value);
    queue_->reserve(1);
  }
  ASSERT_TRUE(queue_->commit(words.data(), words.size(), static_cast<uint32_t>(values.size()), 0));
  const auto same = [](const Value& a, const Value& b) {
    if (a.kind != b.kind || a.size != b.size) return false;
    const bool has_bytes = a.kind == OFFLOOP_TEXT || a.kind == OFFLOOP_BYTES;
    if (has_bytes) return std::equal(a.bytes, a.bytes + a.size, b.bytes);
    if (a.kind == OFFLOOP_BOOLEAN) return a.boolean == b.boolean;
    return a.kind == OFFLOOP_TUPLE || a.integer == b.integer;
  };
  std::array<Value, message::kMostItems> read;
  for (const Value& value : values) {
    ASSERT_EQ(queue_->take(this, {0, 1, false}, room_, waker_).messages, 1u);
    const Value got = message::read(room_.data(), read.data());
    EXPECT_TRUE(same(got, value)) << "of kind " << value.kind;
    for (size_t i = 0; value.kind == OFFLOOP_TUPLE && i < value.size; ++i) {
      EXPECT_TRUE(same(got.items[i], value.items[i])) << "item " << i;
    }
    message::drop(room_.data(), message::words_of(room_.data()));
  }
}

TEST_F(QueueTest, refuses_what_no_message_can_be) {
  const std::array<Value, 1> inner{Value::of(1.0)};
  const Value tuple = Value::tuple(inner.data(), 1);
  EXPECT_FALSE(message::fits(Value::tuple(&tuple, 1))) << "tuples are flat";
  const std::vector<Value> many(message::kMostItems + 1, Value::null());
  EXPECT_FALSE(message::fits(Value::tuple(many.data(), many.size())));
  EXPECT_TRUE(message::fits(Value::tuple(many.data(), many.size() - 1)));
}

TEST_F(QueueTest, never_writes_a_message_beyond_its_bound) {
  const std::string medium(message::kShortBytes, 'm');
  const std::vector<Value> items(message::kMostItems, text(medium));
  Words words(message::kMostWords);
  const size_t size = message::write(Value::tuple(items.data(), items.size()), words.data());
  EXPECT_LE(size, message::kMostWords);
  EXPECT_GT(size, message::kLongWords);
  message::drop(words.data(), size);
}

TEST_F(QueueTest, is_found_by_its_id_while_it_lives) {
  auto queue = std::make_shared<Queue>(Queue::Options{1, Overflow::reject});
  EXPECT_EQ(Queue::publish(queue, "id of the test"), "id of the test");
  EXPECT_EQ(Queue::publish(queue, "another"), "id of the test");
  EXPECT_EQ(Queue::find("id of the test"), queue);
  EXPECT_EQ(Queue::find("another"), nullptr);
  queue.reset();
  EXPECT_EQ(Queue::find("id of the test"), nullptr);
}

}  // namespace
}  // namespace offloop
