#include "support/environment.hpp"

#include <gtest/gtest.h>

#include <array>

#include "support/gate.hpp"

namespace offloop::testing {
namespace {

Status call_body(Call& call) { return (*reinterpret_cast<const TaskBody*>(call.argument(0).bytes))(call); }
Status do_nothing(Call& call) { return call.returns(); }

constexpr Operation kLong{"test", call_body, false};
constexpr Operation kBrief{"brief test", call_body, true};
constexpr Operation kNoop{"noop", do_nothing, true};

}  // namespace

Environment::Environment() {
  int error = 0;
  poller_ = Poller::open(error);
  wake_ = WakeHandle::open(*poller_, error);
  mailbox_ = Mailbox::open();
  mailbox_->connect([](void* wake) noexcept { static_cast<WakeHandle*>(wake)->ring(); }, wake_.get());
}

Task& Environment::make(TaskBody body, How how) {
  bodies_.push_back(std::move(body));
  arguments_.push_back(Value::of(OFFLOOP_BYTES, reinterpret_cast<const uint8_t*>(&bodies_.back()), sizeof(TaskBody)));
  Task& task = mailbox_->slab().at(next_slot_);
  task.slot = next_slot_++;
  task.home = mailbox_;
  task.operation = how.brief ? &kBrief : &kLong;
  task.brief = how.brief;
  task.lane = Lanes::lane_of(how.priority);
  task.arguments = &arguments_.back();
  task.argument_count = 1;
  return task;
}

std::vector<Task*> Environment::make_noops(size_t count) {
  std::vector<Task*> tasks;
  for (size_t i = 0; i < count; ++i) {
    Task& task = mailbox_->slab().at(next_slot_);
    task.slot = next_slot_++;
    task.home = mailbox_;
    task.operation = &kNoop;
    task.brief = true;
    task.lane = Lanes::lane_of(kNormal);
    tasks.push_back(&task);
  }
  return tasks;
}

Pool::Accepted Environment::submit(Pool& pool, std::span<Task* const> tasks) {
  for (Task* task : tasks) {
    task->in_flight = true;
  }
  const Pool::Accepted accepted = pool.submit(tasks);
  for (Task* task : tasks.subspan(accepted.count)) task->in_flight = false;
  outstanding_ += static_cast<uint32_t>(accepted.count);
  return accepted;
}

Pool::Accepted Environment::submit(Pool& pool, Task& task) {
  Task* const one = &task;
  return submit(pool, std::span(&one, 1));
}

Task& Environment::run(Pool& pool, TaskBody body, How how) {
  Task& task = make(std::move(body), how);
  EXPECT_EQ(submit(pool, task).count, 1u);
  return task;
}

void Environment::expect(Task& task) {
  task.in_flight = true;
  ++outstanding_;
}

std::vector<Task*> Environment::await(size_t count) {
  const auto end = std::chrono::steady_clock::now() + kPatience;
  std::vector<Task*> home = collect();
  std::array<Ready, 4> ready;
  while (home.size() < count) {
    if (mailbox_->sleep()) {
      const auto left = end - std::chrono::steady_clock::now();
      if (left.count() <= 0) break;
      poller_->wait(ready, left);
      wake_->clear();
    }
    for (Task* task : collect()) home.push_back(task);
  }
  EXPECT_GE(home.size(), count) << "tasks did not come home";
  return home;
}

Task* Environment::await_one() {
  const std::vector<Task*> home = await(1);
  EXPECT_LE(home.size(), 1u);
  return home.empty() ? nullptr : home.front();
}

std::vector<Task*> Environment::collect() {
  std::vector<Task*> home;
  for (Task* task = mailbox_->take(); task;) {
    Task* const next = task->next;
    EXPECT_TRUE(task->in_flight) << "slot " << task->slot << " came home twice";
    task->in_flight = false;
    --outstanding_;
    home.push_back(task);
    task = next;
  }
  return home;
}

void Environment::leave() {
  if (mailbox_) mailbox_->abandon(outstanding_);
  mailbox_ = nullptr;
}

Pool::Options pool_options() {
  return {.name = "test", .threads = 4, .capacity = 1u << 20, .linger_ns = 0, .stack_bytes = 256 * 1024};
}

std::shared_ptr<Pool> make_pool(Pool::Options options) { return std::make_shared<Pool>(std::move(options)); }

void close_and_wait(Environment& environment, Pool& pool) {
  Task& farewell = *environment.make_noops(1).front();
  farewell.lane = Task::kNoLane;
  environment.expect(farewell);
  pool.close(&farewell);
  environment.await_all();
}

}  // namespace offloop::testing
