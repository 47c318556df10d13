#include "core/task.hpp"

#include <gtest/gtest.h>

#include <cstring>
#include <new>
#include <stdexcept>

#include "support/faults.hpp"

namespace offloop {
namespace {

/// Runs `body` as a task, for one turn.
Task::Ended run(Task& task, Body body) {
  const Operation operation{"test", body, false};
  task.operation = &operation;
  const Task::Ended ended = task.run();
  task.operation = nullptr;
  return ended;
}

/// nullptr: it has not failed, or not said why.
const Failure* failure_of(const Task& task) { return task.extras() ? task.extras()->failure.get() : nullptr; }

std::string_view text_of(const Value& value) {
  return {reinterpret_cast<const char*>(value.bytes), static_cast<size_t>(value.size)};
}

TEST(Value, holds_each_kind_in_two_words) {
  EXPECT_EQ(Value::undefined().kind, OFFLOOP_UNDEFINED);
  EXPECT_EQ(Value::null().kind, OFFLOOP_NULL);
  EXPECT_EQ(Value::of(true).kind, OFFLOOP_BOOLEAN);
  EXPECT_TRUE(Value::of(true).boolean);
  EXPECT_EQ(Value::of(-0.5).number, -0.5);
  EXPECT_EQ(Value::of(INT64_MIN).integer, INT64_MIN);
  EXPECT_EQ(Value::of(OFFLOOP_BYTES, nullptr, (size_t{1} << 56) - 1).size, (size_t{1} << 56) - 1);
}

TEST(Bytes, keep_their_content_while_they_grow_and_give_it_away_once) {
  Bytes bytes(4);
  bytes.resize(4);
  std::memcpy(bytes.data(), "abcd", 4);
  bytes.resize(1 << 20);
  EXPECT_EQ(std::memcmp(bytes.data(), "abcd", 4), 0);
  EXPECT_EQ(bytes.size(), size_t{1} << 20);
  uint8_t* taken = bytes.release();
  EXPECT_EQ(bytes.data(), nullptr);
  EXPECT_EQ(bytes.size(), 0u);
  std::free(taken);
}

TEST(Bytes, move_without_a_copy) {
  Bytes from(8);
  from.resize(8);
  const uint8_t* data = from.data();
  Bytes to(std::move(from));
  EXPECT_EQ(to.data(), data);
  EXPECT_EQ(from.data(), nullptr);  // NOLINT: what a move leaves is part of the contract
}

TEST(Bytes, throw_when_there_is_no_memory) {
  Bytes bytes(1);
  EXPECT_THROW(bytes.reserve(SIZE_MAX / 2), std::bad_alloc);
  EXPECT_EQ(bytes.capacity(), 1u);
}

TEST(Task, keeps_short_memory_inline_and_aligned) {
  Task task;
  const auto* begin = reinterpret_cast<const uint8_t*>(&task);
  for (size_t size : {1u, 7u, 8u, 9u}) {
    uint8_t* memory = task.scratch(size);
    EXPECT_GE(memory, begin);
    EXPECT_LE(memory + size, begin + sizeof task);
    EXPECT_EQ(reinterpret_cast<uintptr_t>(memory) % 8, 0u);
  }
}

TEST(Task, gives_its_whole_scratch_inline_and_no_byte_more) {
  Task task;
  const auto* begin = reinterpret_cast<const uint8_t*>(&task);
  uint8_t* all = task.scratch(Task::kScratch);
  std::memset(all, 1, Task::kScratch);
  EXPECT_LE(all + Task::kScratch, begin + sizeof task);
  uint8_t* more = task.scratch(1);
  EXPECT_TRUE(more < begin || more > begin + sizeof task);
}

TEST(Task, takes_long_memory_from_the_heap_and_gives_it_back) {
  Task task;
  for (int round = 0; round < 100; ++round) {  // a leak shows under the sanitizer
    for (size_t size : {200u, 100'000u, 16u}) std::memset(task.scratch(size), 0xff, size);
    task.recycle();
  }
}

TEST(Task, throws_when_there_is_no_memory_for_scratch) {
  Task task;
  EXPECT_THROW(task.scratch(SIZE_MAX / 2), std::bad_alloc);
}

TEST(Task, is_empty_after_it_is_recycled_but_for_slot_and_generation) {
  Task task;
  task.slot = 3;
  task.generation = 9;
  task.in_flight = true;
  task.borrows = true;
  task.stop = true;
  run(task, [](Call& call) { return call.fails_in_system("open", ENOENT); });
  Bytes bytes(100);
  bytes.resize(100);
  Call(task).returns(std::move(bytes));
  task.recycle();
  EXPECT_EQ(task.slot, 3u);
  EXPECT_EQ(task.generation, 9u);
  EXPECT_EQ(task.status, OFFLOOP_OK);
  EXPECT_EQ(task.result.kind, OFFLOOP_UNDEFINED);
  EXPECT_EQ(failure_of(task), nullptr);
  EXPECT_FALSE(task.result_owned);
  EXPECT_FALSE(task.in_flight);
  EXPECT_FALSE(task.borrows);
  EXPECT_FALSE(task.stop);
  EXPECT_TRUE(task.bare);
  uint8_t* memory = task.scratch(Task::kScratch);  // the whole of it is free again
  EXPECT_EQ(memory + Task::kScratch <= reinterpret_cast<uint8_t*>(&task + 1), true);
}

TEST(Task, is_bare_until_something_behind_its_first_line_is_used) {
  Task task;
  EXPECT_TRUE(task.bare);
  run(task, [](Call& call) { return call.returns(Value::of(42.0)); });
  EXPECT_TRUE(task.bare);
  task.scratch(1);
  EXPECT_FALSE(task.bare);
  task.recycle();
  EXPECT_TRUE(task.bare);
  run(task, [](Call& call) { return call.returns(Bytes(1)); });
  EXPECT_FALSE(task.bare) << "its result is to be freed";
}

TEST(Task, brings_its_result_home) {
  Task task;
  EXPECT_EQ(run(task, [](Call& call) { return call.returns(Value::of(42.0)); }), Task::Ended::settled);
  EXPECT_EQ(task.status, OFFLOOP_OK);
  EXPECT_EQ(task.result.number, 42.0);
}

TEST(Task, owns_the_bytes_it_returns) {
  Task task;
  run(task, [](Call& call) {
    Bytes bytes;
    bytes.resize(3);
    std::memcpy(bytes.data(), "xyz", 3);
    return call.returns(std::move(bytes), OFFLOOP_TEXT);
  });
  EXPECT_TRUE(task.result_owned);
  EXPECT_EQ(task.result.kind, OFFLOOP_TEXT);
  EXPECT_EQ(text_of(task.result), "xyz");
}

TEST(Task, copies_text_into_its_own_memory) {
  Task task;
  run(task, [](Call& call) {
    std::string text(500, 'x');
    return call.returns(call.text_value(text));
  });
  EXPECT_EQ(text_of(task.result), std::string(500, 'x'));
  EXPECT_FALSE(task.result_owned);
}

TEST(Task, sees_its_arguments) {
  const uint8_t bytes[] = {1, 2, 3};
  const Value arguments[] = {Value::of(1.5), Value::of(true), Value::of(OFFLOOP_BYTES, bytes, 3)};
  Task task;
  task.arguments = arguments;
  task.argument_count = 3;
  run(task, [](Call& call) {
    EXPECT_EQ(call.count(), 3u);
    EXPECT_EQ(call.number(0), 1.5);
    EXPECT_TRUE(call.boolean(1));
    EXPECT_EQ(call.bytes(2).size(), 3u);
    EXPECT_EQ(call.text(2), "\1\2\3");
    return call.returns();
  });
}

TEST(Task, fails_with_the_message_of_the_exception_its_body_throws) {
  Task task;
  EXPECT_EQ(run(task, [](Call&) -> Status { throw std::runtime_error("no such luck"); }), Task::Ended::settled);
  EXPECT_EQ(task.status, OFFLOOP_TASK_FAILED);
  ASSERT_TRUE(failure_of(task));
  EXPECT_EQ(failure_of(task)->source, Failure::Source::task);
  EXPECT_EQ(failure_of(task)->message, "no such luck");
}

TEST(Task, says_that_memory_ran_out_when_its_body_throws_bad_alloc) {
  Task task;
  run(task, [](Call&) -> Status { throw std::bad_alloc(); });
  EXPECT_EQ(task.status, OFFLOOP_NO_MEMORY);
}

TEST(Task, fails_when_its_body_throws_what_is_no_exception) {
  Task task;
  run(task, [](Call&) -> Status { throw 42; });
  EXPECT_EQ(task.status, OFFLOOP_TASK_FAILED);
  EXPECT_EQ(failure_of(task), nullptr);
}

TEST(Task, fails_without_a_message_when_there_is_no_memory_for_one) {
  static const std::runtime_error error("this message is too long to be kept without an allocation");
  Task task;
  {
    testing::FailingAllocations now;
    run(task, [](Call&) -> Status { throw error; });
  }
  EXPECT_EQ(task.status, OFFLOOP_TASK_FAILED);
  EXPECT_EQ(failure_of(task), nullptr);
}

TEST(Task, tells_who_refused) {
  Task system;
  run(system, [](Call& call) { return call.fails_in_system("open", ENOENT); });
  EXPECT_EQ(system.status, OFFLOOP_SYSTEM);
  EXPECT_EQ(failure_of(system)->source, Failure::Source::system);
  EXPECT_EQ(failure_of(system)->number, -ENOENT);
  EXPECT_STREQ(failure_of(system)->syscall, "open");

  Task resolver;
  run(resolver, [](Call& call) { return call.fails_in_resolver("ENOTFOUND", -3008); });
  EXPECT_EQ(resolver.status, OFFLOOP_SYSTEM);
  EXPECT_EQ(failure_of(resolver)->source, Failure::Source::resolver);
  EXPECT_STREQ(failure_of(resolver)->name, "ENOTFOUND");

  Task library;
  run(library, [](Call& call) { return call.fails_in_library("Z_DATA_ERROR", -3, "bad data"); });
  EXPECT_EQ(library.status, OFFLOOP_TASK_FAILED);
  EXPECT_EQ(failure_of(library)->source, Failure::Source::library);
  EXPECT_EQ(failure_of(library)->message, "bad data");

  Task unsupported;
  run(unsupported, [](Call& call) { return call.unsupported("not here"); });
  EXPECT_EQ(unsupported.status, OFFLOOP_UNSUPPORTED);
}

TEST(Task, is_cancelled_without_running_when_it_was_stopped_before) {
  Task task;
  task.stop = true;
  const Task::Ended ended = run(task, [](Call& call) {
    ADD_FAILURE() << "it ran";
    return call.returns();
  });
  EXPECT_EQ(ended, Task::Ended::settled);
  EXPECT_EQ(task.status, OFFLOOP_CANCELLED);
}

TEST(Task, lets_its_body_see_the_stop_flag) {
  Task task;
  static Task* self;
  self = &task;
  run(task, [](Call& call) {
    EXPECT_FALSE(call.stopped());
    self->stop = true;
    EXPECT_TRUE(call.stopped());
    return call.cancelled();
  });
  EXPECT_EQ(task.status, OFFLOOP_CANCELLED);
}

TEST(Task, is_not_finished_when_its_body_leaves_it_to_the_reactor) {
  Task task;
  EXPECT_EQ(run(task, [](Call& call) { return call.settles_at(123); }), Task::Ended::sleeps);
  EXPECT_EQ(task.result.integer, 123);
  EXPECT_EQ(task.due_ns, Timer::kNever) << "its limits may be using its timer";
  EXPECT_EQ(task.status, OFFLOOP_OK);
}

}  // namespace
}  // namespace offloop
