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
  Task& task = mailbox_->slab().at(next_slot_);
  task.slot = next_slot_++;
  task.home = mailbox_;
  prepare(task, std::move(body), how);
  return task;
}

void Environment::make_again(Task& task, TaskBody body, How how) {
  EXPECT_FALSE(task.in_flight);
  task.recycle();
  task.home = mailbox_;
  ++task.generation;
  prepare(task, std::move(body), how);
}

void Environment::prepare(Task& task, TaskBody body, How how) {
  bodies_.push_back(std::move(body));
  arguments_.push_back(Value::of(OFFLOOP_BYTES, reinterpret_cast<const uint8_t*>(&bodies_.back()), sizeof(TaskBody)));
  task.arguments = &arguments_.back();
  task.argument_count = 1;
  task.bare = false;
  task.operation = how.brief ? &kBrief : &kLong;
  task.brief = how.brief;
  task.first_lane = Lanes::lane_of(how.priority);
  task.urgent = how.deadline_ns != Timer::kNever;
  if (task.urgent) task.due_ns = steady_ns() + how.deadline_ns;
  task.controlled = how.timeout_ns != Timer::kNever || how.budget_ns != Timer::kNever || how.tells_start || how.watched;
  if (!task.controlled) return;
  Extras& extras = task.make_extras();
  extras.timeout_ns = how.timeout_ns;
  extras.budget_ns = how.budget_ns;
  extras.tells_start = how.tells_start;
  extras.watched = how.watched;
  extras.notice.slot = task.slot;
  extras.notice.generation = task.generation;
}

std::vector<Task*> Environment::make_noops(size_t count) {
  std::vector<Task*> tasks;
  for (size_t i = 0; i < count; ++i) {
    Task& task = mailbox_->slab().at(next_slot_);
    task.slot = next_slot_++;
    task.home = mailbox_;
    task.operation = &kNoop;
    task.brief = true;
    task.first_lane = Lanes::lane_of(kNormal);
    tasks.push_back(&task);
  }
  return tasks;
}

Pool::Accepted Environment::submit(Pool& pool, std::span<Task* const> tasks) {
  for (Task* task : tasks) {
    task->in_flight = true;
    task->lane = task->first_lane;
    task->accepted_ns = steady_ns();
  }
  const Pool::Accepted accepted = pool.submit(tasks);
  for (Task* task : tasks.subspan(accepted.count)) {
    task->in_flight = false;
    task->lane = Task::kNoLane;
  }
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
  std::vector<Task*> home;
  wait_until([&] {
    for (Task* task : collect()) home.push_back(task);
    return home.size() >= count;
  });
  EXPECT_GE(home.size(), count) << "tasks did not come home";
  return home;
}

void Environment::await_news(size_t count) {
  wait_until([&] {
    for (Task* task : collect()) early_.push_back(task);
    return news_.size() >= count;
  });
  EXPECT_GE(news_.size(), count) << "news did not come";
}

void Environment::wait_until(const std::function<bool()>& enough) {
  const auto end = std::chrono::steady_clock::now() + kPatience;
  std::array<Ready, 4> ready;
  while (!enough()) {
    if (!mailbox_->sleep()) continue;
    const auto left = end - std::chrono::steady_clock::now();
    if (left.count() <= 0) return;
    poller_->wait(ready, left);
    wake_->clear();
  }
}

Task* Environment::await_one() {
  const std::vector<Task*> home = await(1);
  EXPECT_LE(home.size(), 1u);
  return home.empty() ? nullptr : home.front();
}

std::vector<Task*> Environment::collect() {
  std::vector<Task*> home;
  for (Letter* letter = mailbox_->take(); letter;) {
    Letter* const next = letter->next;  // once the news are taken, the notice may be on its way again
    if (letter->is(Letter::Kind::notice)) {
      take_news(static_cast<Extras::Notice&>(*letter));
    } else {
      auto* task = static_cast<Task*>(letter);
      EXPECT_TRUE(task->in_flight) << "slot " << task->slot << " came home twice";
      task->in_flight = false;
      --outstanding_;
      home.push_back(task);
    }
    letter = next;
  }
  return home;
}

void Environment::take_news(Extras::Notice& notice) {
  Task& task = notice.task;
  EXPECT_TRUE(task.in_flight) << "news of slot " << task.slot << " came after it";
  EXPECT_EQ(notice.slot, task.slot);
  EXPECT_EQ(notice.generation, task.generation) << "news of an earlier task of slot " << task.slot;
  Extras& extras = *task.extras();
  const uint8_t what = extras.news.exchange(0, std::memory_order_acq_rel);
  EXPECT_NE(what, 0) << "a notice of slot " << task.slot << " with nothing to tell";
  // relaxed: published with the news
  news_.push_back({&task, what, static_cast<Status>(extras.cut.load(std::memory_order_relaxed)),
                   extras.done.load(std::memory_order_relaxed), extras.total.load(std::memory_order_relaxed)});
}

void Environment::leave() {
  if (mailbox_) mailbox_->abandon(outstanding_);
  mailbox_ = nullptr;
}

Pool::Options pool_options() {
  return {.name = "test",
          .threads = 4,
          .capacity = 1u << 20,
          .overflow = Overflow::reject,
          .aging_ns = 3'600'000'000'000,
          .linger_ns = 0,
          .stack_bytes = 256 * 1024};
}

std::shared_ptr<Pool> make_pool(Pool::Options options) { return std::make_shared<Pool>(std::move(options)); }

void close_and_wait(Environment& environment, Pool& pool) {
  Task& farewell = *environment.make_noops(1).front();
  environment.expect(farewell);
  pool.close(&farewell);
  environment.await_all();
}

}  // namespace offloop::testing
