// What the engine costs without JavaScript. For comparing one change with the next on one machine, not for the README.
#include <memory>
#include <string>
#include <vector>

#include "core/lanes.hpp"
#include "core/mailbox.hpp"
#include "core/pool.hpp"
#include "measure.hpp"
#include "platform/select.hpp"

namespace offloop {
namespace {

using bench::ns_each;
using bench::report;

Status nothing(Call& call) { return call.returns(); }
constexpr Operation kNoop{"noop", nothing, true};

/// An environment without Node: a mailbox that rings a wake handle.
class Loop {
 public:
  Loop() {
    int error = 0;
    poller_ = Poller::open(error);
    wake_ = WakeHandle::open(*poller_, error);
    mailbox_ = Mailbox::open();
    mailbox_->connect([](void* wake) noexcept { static_cast<WakeHandle*>(wake)->ring(); }, wake_.get());
  }
  ~Loop() { mailbox_->abandon(0); }

  std::vector<Task*> tasks(uint32_t count) {
    std::vector<Task*> made;
    for (uint32_t slot = 0; slot < count; ++slot) made.push_back(&mailbox_->slab().at(slot));
    return made;
  }
  void submit(Pool& pool, std::span<Task* const> tasks) {
    const int64_t now = steady_ns();
    for (Task* task : tasks) {
      task->operation = &kNoop;
      task->brief = true;
      task->home = mailbox_;
      task->lane = 4;
      task->accepted_ns = now;
    }
    pool.submit(tasks);
  }
  /// Returns at least one.
  void await(std::vector<Task*>& home) {
    home.clear();
    Ready ready[2];
    while (home.empty()) {
      for (Letter* letter = mailbox_->take(); letter; letter = letter->next) home.push_back(static_cast<Task*>(letter));
      if (home.empty() && mailbox_->sleep()) {
        poller_->wait(ready, Poller::kForever);
        wake_->clear();
      }
    }
  }

 private:
  std::unique_ptr<Poller> poller_;
  std::unique_ptr<WakeHandle> wake_;
  Mailbox* mailbox_;
};

void bench_parts() {
  constexpr int kCount = 1'000;
  std::vector<Task> tasks(kCount);
  MpscStack<Letter> stack;
  report(
      "mailbox: push and take, one thread", "ns each",
      [&] {
        return ns_each(kCount, [&] {
          for (Task& task : tasks) stack.push(&task, &task);
          stack.take();
        });
      },
      1'000);
  Lanes lanes(100'000'000);
  report(
      "lanes: push and pop", "ns each",
      [&] {
        return ns_each(kCount, [&] {
          for (Task& task : tasks) {
            task.lane = 4;
            lanes.push(&task);
          }
          while (lanes.size() > 0) lanes.pop(0);
        });
      },
      1'000);
  report(
      "lanes: push into eight and pop by age", "ns each",
      [&] {
        return ns_each(kCount, [&] {
          for (int i = 0; i < kCount; ++i) {
            tasks[i].lane = i % Lanes::kLanes;
            lanes.push(&tasks[i]);
          }
          while (lanes.size() > 0) lanes.pop(0);
        });
      },
      1'000);
  const auto times = std::make_unique<Times>();
  int64_t before = steady_ns();
  report(
      "times: one task, its clock included", "ns each",
      [&] {
        return ns_each(kCount, [&] {
          for (int i = 0; i < kCount; ++i) {
            const int64_t now = steady_ns();
            times->queued.add(now & 0xffff);
            times->run.add(now - before);
            times->cpu.add(now - before);
            before = now;
          }
        });
      },
      1'000);
}

void bench_pool(int64_t linger_ns) {
  auto pool = std::make_shared<Pool>(Pool::Options{.name = "bench",
                                                   .threads = 2,
                                                   .capacity = 1u << 20,
                                                   .overflow = Overflow::reject,
                                                   .aging_ns = 100'000'000,
                                                   .linger_ns = linger_ns,
                                                   .stack_bytes = 1 << 18});
  const std::string linger = "pool, linger " + std::to_string(linger_ns / 1'000) + " us: ";
  Loop loop;
  std::vector<Task*> home;
  const std::vector<Task*> tasks = loop.tasks(1'000);
  const auto first = [&](size_t count) { return std::span(tasks).first(count); };

  report((linger + "one at a time").c_str(), "us",
         [&] {
           return ns_each(1'000, [&] {
             loop.submit(*pool, first(1));
             loop.await(home);
           });
         },
         5'000);
  report((linger + "bursts of 1000").c_str(), "ns each",
         [&] {
           return ns_each(1'000, [&] {
             loop.submit(*pool, tasks);
             for (size_t done = 0; done < tasks.size(); done += home.size()) loop.await(home);
           });
         },
         1'000);
  report((linger + "256 in flight").c_str(), "ns each",
         [&] {
           constexpr int kTasks = 10'000;
           return ns_each(kTasks, [&] {
             size_t submitted = 256, done = 0;
             loop.submit(*pool, first(256));
             while (done < submitted) {
               loop.await(home);
               done += home.size();
               if (submitted < kTasks) {
                 submitted += home.size();
                 loop.submit(*pool, home);
               }
             }
           });
         },
         200);
  pool->close(nullptr);
}

}  // namespace
}  // namespace offloop

int main() {
  offloop::bench::print_head();
  offloop::bench_parts();
  for (int64_t linger_ns : {0, 10'000, 50'000}) offloop::bench_pool(linger_ns);
}
