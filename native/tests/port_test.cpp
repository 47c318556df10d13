#include "core/port.hpp"

#include <gtest/gtest.h>

#include "support/environment.hpp"
#include "support/gate.hpp"

namespace offloop {
namespace {

using testing::Environment;
using testing::Gate;

/// Tasks that hold a queue.
class PortTest : public ::testing::Test {
 protected:
  ~PortTest() override {
    for (Task* task : environment_.await_all()) task->recycle();
    close_and_wait(environment_, *pool_);
  }
  void open(uint32_t capacity, Overflow overflow = Overflow::wait) {
    queue_ = std::make_shared<Queue>(Queue::Options{capacity, overflow});
  }
  Task& run(std::function<Status(Call&, Port&)> body) {
    return environment_.run(*pool_, [this, body = std::move(body)](Call& call) {
      QueuePort& port = call.state<QueuePort>(queue_);
      return body(call, port);
    });
  }
  static Status send_count(Call& call, Port& port, int count) {
    for (int i = 0; i < count; ++i) {
      if (Status refused = port.send(call, Value::of(double(i)))) return refused;
    }
    return call.returns();
  }

  std::shared_ptr<Queue> queue_;
  Environment environment_;
  const std::shared_ptr<Pool> pool_ = testing::make_pool();
};

TEST_F(PortTest, blocks_a_sender_until_there_is_room_and_a_receiver_until_there_is_a_message) {
  open(2);
  run([](Call& call, Port& port) { return send_count(call, port, 1'000); });
  double next = 0;
  run([&](Call& call, Port& port) {
    Value value = Value::undefined();
    for (; next < 1'000; ++next) {
      if (Status refused = port.receive(call, value)) return refused;
      if (value.number != next) return OFFLOOP_TASK_FAILED;
    }
    return call.returns();
  });
  for (Task* task : environment_.await(2)) EXPECT_EQ(task->status, OFFLOOP_OK);
  EXPECT_EQ(next, 1'000);
}

TEST_F(PortTest, is_woken_when_its_task_is_stopped) {
  open(1);
  Gate receives;
  Task& receiver = run([&](Call& call, Port& port) {
    Value value = Value::undefined();
    receives.open();
    return port.receive(call, value);
  });
  ASSERT_TRUE(receives.wait());
  pool_->cancel(receiver);
  EXPECT_EQ(environment_.await_one()->status, OFFLOOP_CANCELLED);

  Gate sends;
  Task& sender = run([&](Call& call, Port& port) {
    if (Status refused = port.send(call, Value::null())) return refused;
    sends.open();
    return port.send(call, Value::null());
  });
  ASSERT_TRUE(sends.wait());
  pool_->cancel(sender);
  EXPECT_EQ(environment_.await_one()->status, OFFLOOP_CANCELLED);
}

TEST_F(PortTest, is_woken_when_its_task_has_run_out_of_time) {
  open(1);
  environment_.run(*pool_,
                   [&](Call& call) {
                     Value value = Value::undefined();
                     return call.state<QueuePort>(queue_).receive(call, value);
                   },
                   {.timeout_ns = 5'000'000});
  EXPECT_EQ(environment_.await_one()->status, OFFLOOP_CANCELLED) << "the loop has heard of the cut before";
}

TEST_F(PortTest, is_woken_when_the_queue_is_closed) {
  open(1);
  Gate receives;
  run([&](Call& call, Port& port) {
    Value value = Value::undefined();
    receives.open();
    return port.receive(call, value);
  });
  ASSERT_TRUE(receives.wait());
  queue_->close();
  EXPECT_EQ(environment_.await_one()->status, OFFLOOP_CLOSED);
}

TEST_F(PortTest, tells_why_a_message_was_not_sent) {
  open(1, Overflow::reject);
  run([](Call& call, Port& port) { return send_count(call, port, 2); });
  EXPECT_EQ(environment_.await_one()->status, OFFLOOP_QUEUE_FULL);
  open(1, Overflow::drop_newest);
  run([](Call& call, Port& port) { return send_count(call, port, 2); });
  EXPECT_EQ(environment_.await_one()->status, OFFLOOP_DROPPED);
  open(1, Overflow::drop_oldest);
  run([](Call& call, Port& port) { return send_count(call, port, 2); });
  EXPECT_EQ(environment_.await_one()->status, OFFLOOP_OK);
  open(1);
  run([](Call&, Port& port) {
    const Status first = port.try_send(Value::null());
    return first ? first : port.try_send(Value::null());
  });
  EXPECT_EQ(environment_.await_one()->status, OFFLOOP_QUEUE_FULL);
}

TEST_F(PortTest, lets_others_receive_when_its_task_is_done_with) {
  open(4);
  const auto receive_one = [](Call& call, Port& port) {
    Value value = Value::undefined();
    if (Status refused = port.send(call, Value::of(1.0))) return refused;
    return port.try_receive(value) ? call.returns() : OFFLOOP_TASK_FAILED;
  };
  run(receive_one);
  Task& first = *environment_.await_one();
  EXPECT_EQ(first.status, OFFLOOP_OK);
  run(receive_one);
  EXPECT_EQ(environment_.await_one()->status, OFFLOOP_TASK_FAILED);
  first.recycle();
  run(receive_one);
  EXPECT_EQ(environment_.await_one()->status, OFFLOOP_OK);
}

TEST_F(PortTest, holds_its_queue_until_its_task_is_done_with) {
  open(1);
  std::weak_ptr<Queue> watch = queue_;
  Task& task = environment_.make([](Call& call) { return call.returns(); });
  const Value value = QueuePort::attach(task, queue_);
  EXPECT_EQ(value.kind, OFFLOOP_QUEUE);
  queue_.reset();
  EXPECT_FALSE(watch.expired());
  EXPECT_EQ(value.port->try_send(Value::of(1.0)), OFFLOOP_OK);
  task.recycle();
  EXPECT_TRUE(watch.expired());
}

}  // namespace
}  // namespace offloop
