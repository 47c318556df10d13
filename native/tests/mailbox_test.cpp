#include "core/mailbox.hpp"

#include <gtest/gtest.h>

#include <deque>
#include <thread>
#include <vector>

#include "support/environment.hpp"
#include "support/gate.hpp"

namespace offloop {
namespace {

using testing::Environment;

Task& task_in(Mailbox& mailbox, uint32_t slot) {
  Task& task = mailbox.slab().at(slot);
  task.slot = slot;
  task.home = &mailbox;
  return task;
}

/// A doorbell that counts.
struct Bell {
  std::atomic<int> rings{0};
  static void ring(void* self) noexcept { ++static_cast<Bell*>(self)->rings; }
};

TEST(Mailbox, rings_for_the_first_mail_after_a_sleep_only) {
  Mailbox* mailbox = Mailbox::open();
  Bell bell;
  mailbox->connect(&Bell::ring, &bell);
  mailbox->post(&task_in(*mailbox, 0));
  mailbox->post(&task_in(*mailbox, 1));
  EXPECT_EQ(bell.rings, 1);
  EXPECT_TRUE(mailbox->has_mail());
  EXPECT_FALSE(mailbox->sleep());
  mailbox->take();
  mailbox->post(&task_in(*mailbox, 2));
  EXPECT_EQ(bell.rings, 1);
  mailbox->take();
  EXPECT_TRUE(mailbox->sleep());
  mailbox->post(&task_in(*mailbox, 3));
  EXPECT_EQ(bell.rings, 2);
  mailbox->abandon(1);
}

TEST(Mailbox, takes_mail_without_a_bell) {
  Mailbox* mailbox = Mailbox::open();
  mailbox->post(&task_in(*mailbox, 0));
  EXPECT_EQ(mailbox->take()->slot, 0u);
  mailbox->abandon(0);
}

TEST(Mailbox, delivers_a_chain_in_its_order) {
  Mailbox* mailbox = Mailbox::open();
  Task& oldest = task_in(*mailbox, 0);
  Task& newest = task_in(*mailbox, 1);
  newest.next = &oldest;
  mailbox->post(&newest, &oldest, 2);
  Letter* first = mailbox->take();
  EXPECT_EQ(first, &oldest);
  EXPECT_EQ(first->next, &newest);
  EXPECT_EQ(newest.next, nullptr);
  mailbox->abandon(0);
}

TEST(Mailbox, is_handed_on_to_the_next_environment_when_nothing_is_out) {
  Mailbox* mailbox = Mailbox::open();
  task_in(*mailbox, 0).generation = 7;
  mailbox->abandon(0);
  Mailbox* next = Mailbox::open();
  EXPECT_EQ(next, mailbox);
  EXPECT_EQ(next->slab().at(0).generation, 0u);  // with a slab of its own
  next->abandon(0);
}

TEST(Mailbox, is_handed_on_only_when_the_last_task_is_home) {
  Mailbox* mailbox = Mailbox::open();
  Task& in_the_box = task_in(*mailbox, 0);
  Task& late = task_in(*mailbox, 1);
  Task& last = task_in(*mailbox, 2);
  mailbox->post(&in_the_box);
  mailbox->abandon(3);

  Mailbox* other = Mailbox::open();
  EXPECT_NE(other, mailbox);
  mailbox->post(&late);
  Mailbox* another = Mailbox::open();
  EXPECT_NE(another, mailbox);
  mailbox->post(&last);
  Mailbox* next = Mailbox::open();
  EXPECT_EQ(next, mailbox);
  for (Mailbox* open : {other, another, next}) open->abandon(0);
}

TEST(Mailbox, counts_a_chain_that_comes_home_to_nobody) {
  Mailbox* mailbox = Mailbox::open();
  Task& oldest = task_in(*mailbox, 0);
  Task& newest = task_in(*mailbox, 1);
  newest.next = &oldest;
  mailbox->abandon(2);
  mailbox->post(&newest, &oldest, 2);
  Mailbox* next = Mailbox::open();
  EXPECT_EQ(next, mailbox);
  next->abandon(0);
}

TEST(Mailbox, delivers_notices_among_tasks_in_their_order) {
  Mailbox* mailbox = Mailbox::open();
  Bell bell;
  mailbox->connect(&Bell::ring, &bell);
  Task& goes_on = task_in(*mailbox, 0);
  Task& done = task_in(*mailbox, 1);
  Extras::Notice& notice = goes_on.make_extras().notice;
  mailbox->post_notice(notice);
  EXPECT_EQ(bell.rings, 1);
  mailbox->post(&done);
  mailbox->post(&goes_on);
  Letter* letter = mailbox->take();
  ASSERT_EQ(letter, &notice);
  EXPECT_TRUE(letter->is(Letter::Kind::notice));
  EXPECT_EQ(letter->next, &done);
  EXPECT_EQ(letter->next->next, &goes_on);
  EXPECT_TRUE(goes_on.is(Letter::Kind::task));
  mailbox->post_notice(notice);  // it has been taken, and can go again
  EXPECT_EQ(mailbox->take(), &notice);
  EXPECT_TRUE(mailbox->sleep());
  mailbox->post_notice(notice);
  EXPECT_EQ(bell.rings, 2);
  mailbox->abandon(0);
}

TEST(Mailbox, counts_no_notice_as_a_task_that_is_home_when_it_is_abandoned) {
  Mailbox* mailbox = Mailbox::open();
  Task& told = task_in(*mailbox, 0);
  Task& in_the_box = task_in(*mailbox, 1);
  Task& tells_late = task_in(*mailbox, 2);
  mailbox->post_notice(told.make_extras().notice);
  mailbox->post(&in_the_box);
  mailbox->post_notice(in_the_box.make_extras().notice);
  tells_late.make_extras();
  mailbox->abandon(3);
  mailbox->post_notice(tells_late.extras()->notice);  // to nobody

  Mailbox* other = Mailbox::open();
  EXPECT_NE(other, mailbox) << "two tasks are still out";
  mailbox->post(&told);
  Mailbox* another = Mailbox::open();
  EXPECT_NE(another, mailbox);
  mailbox->post(&tells_late);
  Mailbox* next = Mailbox::open();
  EXPECT_EQ(next, mailbox);
  for (Mailbox* open : {other, another, next}) open->abandon(0);
}

TEST(Mailbox, survives_an_environment_that_leaves_while_its_tasks_tell_of_themselves) {
  auto pool = testing::make_pool();
  std::deque<Environment> leavers;  // bodies must outlive their tasks
  for (int round = 0; round < 100; ++round) {
    Environment& leaver = leavers.emplace_back();
    for (int i = 0; i < 16; ++i) {
      leaver.run(*pool,
                 [](Call& call) {
                   for (int step = 0; step < 50; ++step) call.progress(step, 50);
                   return call.state<int>(0)++ < 2 ? call.yields() : call.settles_at(steady_ns() + 10'000);
                 },
                 {.timeout_ns = i % 2 ? 10'000 : Timer::kNever, .tells_start = true, .watched = true});
    }
    if (round % 2) leaver.await(1);
    leaver.leave();
  }
  Environment stayer;
  testing::close_and_wait(stayer, *pool);
}

TEST(Mailbox, does_not_ring_once_it_is_abandoned) {
  Mailbox* mailbox = Mailbox::open();
  Bell bell;
  mailbox->connect(&Bell::ring, &bell);
  Task& late = task_in(*mailbox, 0);
  mailbox->abandon(1);
  mailbox->post(&late);
  EXPECT_EQ(bell.rings, 0);
}

TEST(Mailbox, waits_for_a_ring_under_way_before_it_lets_go_of_the_bell) {
  struct SlowBell {
    testing::Gate entered;
    std::atomic<bool> inside{false};
    static void ring(void* raw) noexcept {
      auto* self = static_cast<SlowBell*>(raw);
      self->inside = true;
      self->entered.open();
      for (int i = 0; i < 1'000; ++i) std::this_thread::yield();
      self->inside = false;
    }
  };
  Mailbox* mailbox = Mailbox::open();
  SlowBell bell;
  mailbox->connect(&SlowBell::ring, &bell);
  std::thread worker([&] { mailbox->post(&task_in(*mailbox, 0)); });
  ASSERT_TRUE(bell.entered.wait());
  mailbox->connect(nullptr, nullptr);
  EXPECT_FALSE(bell.inside);
  worker.join();
  mailbox->abandon(1);
}

TEST(Mailbox, frees_its_tasks_whoever_comes_home_last) {
  constexpr uint32_t kTasks = 64;
  constexpr int kRounds = 300;
  for (int round = 0; round < kRounds; ++round) {
    Mailbox* mailbox = Mailbox::open();
    std::vector<Task*> tasks;
    for (uint32_t slot = 0; slot < kTasks; ++slot) tasks.push_back(&task_in(*mailbox, slot));
    std::atomic<int> ready{0};
    std::vector<std::thread> workers;
    for (uint32_t w = 0; w < 2; ++w) {
      workers.emplace_back([&, w] {
        ++ready;
        for (uint32_t i = w; i < kTasks; i += 2) mailbox->post(tasks[i]);
      });
    }
    while (ready == 0) std::this_thread::yield();
    uint32_t out = kTasks;
    for (Letter* task = mailbox->take(); task; task = task->next) --out;
    mailbox->abandon(out);
    for (std::thread& worker : workers) worker.join();
    Mailbox* next = Mailbox::open();
    ASSERT_EQ(next, mailbox) << "a task was lost or counted twice";
    next->abandon(0);
  }
}

TEST(Mailbox, survives_an_environment_that_leaves_while_its_tasks_run) {
  auto pool = testing::make_pool();
  testing::Gate started, go;
  std::atomic<int> ran{0};
  testing::TaskBody body = [&](Call& call) {
    started.open();
    go.wait();
    ++ran;
    return call.returns();
  };
  Environment leaver;
  for (int i = 0; i < 8; ++i) leaver.run(*pool, body);
  ASSERT_TRUE(started.wait());
  leaver.leave();
  go.open();
  Environment stayer;
  testing::close_and_wait(stayer, *pool);
  EXPECT_EQ(ran, 8);
}

}  // namespace
}  // namespace offloop
