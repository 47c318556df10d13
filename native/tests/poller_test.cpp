// What every poller must tell of what it watches, whatever the mechanism.
#include <algorithm>
#include <cerrno>
#include <map>
#include <vector>

#include "support/pollers.hpp"

namespace offloop {
namespace {

using namespace std::chrono_literals;
using testing::kPatience;
using testing::OneWay;
using testing::Sockets;

template <class Pair>
class Pollers : public testing::PollerFixture<Pair> {
 protected:
  int watch(Descriptor fd, Interest interest, Trigger trigger = Trigger::level) {
    return this->poller().watch(fd, interest, &this->tag_, trigger);
  }
  int rewatch(Descriptor fd, Interest interest, Trigger trigger) {
    return this->poller().rewatch(fd, interest, &this->tag_, trigger);
  }
  /// What the next wait tells, which must be one thing: "r", "w", "rw", with "!" when it hung up. "" for nothing.
  std::string told(std::chrono::nanoseconds timeout = kPatience) {
    const size_t count = this->wait(timeout);
    if (count == 0) return "";
    EXPECT_EQ(count, 1u);
    const Ready& it = this->ready_[0];
    EXPECT_EQ(it.tag, &this->tag_);
    return std::string(it.readable ? "r" : "") + (it.writable ? "w" : "") + (it.hung_up ? "!" : "");
  }
  std::string told_now() { return told(0ns); }
};
TYPED_TEST_SUITE(Pollers, testing::Pairs, testing::PairName);

// --- directions ---

TYPED_TEST(Pollers, tell_what_became_readable_by_its_tag) {
  Sockets sockets, others;
  ASSERT_EQ(this->watch(sockets[0], Interest::readable), 0);
  ASSERT_EQ(this->poller().watch(others[0], Interest::readable, &this->other_tag_), 0);
  EXPECT_EQ(this->told_now(), "");
  sockets.send(1);
  EXPECT_EQ(this->told(), "r");
}

TYPED_TEST(Pollers, tell_when_there_is_room_to_write) {
  Sockets sockets;
  ASSERT_EQ(this->watch(sockets[0], Interest::writable), 0);
  EXPECT_EQ(this->told_now(), "w");
  sockets.fill(0);
  EXPECT_EQ(this->told_now(), "");
  sockets.drain(1);
  EXPECT_EQ(this->told(), "w");
}

TYPED_TEST(Pollers, tell_both_directions_at_once) {
  Sockets sockets;
  ASSERT_EQ(this->watch(sockets[0], Interest::both), 0);
  EXPECT_EQ(this->told_now(), "w");
  sockets.send(1);
  EXPECT_EQ(this->told(), "rw");
  sockets.fill(0);
  EXPECT_EQ(this->told_now(), "r");
  sockets.receive(0);
  EXPECT_EQ(this->told_now(), "");
}

TYPED_TEST(Pollers, tell_only_the_direction_that_was_asked_for) {
  Sockets sockets;
  sockets.send(1);
  ASSERT_EQ(this->watch(sockets[0], Interest::writable), 0);
  EXPECT_EQ(this->told_now(), "w");
  ASSERT_EQ(this->rewatch(sockets[0], Interest::readable, Trigger::level), 0);
  EXPECT_EQ(this->told_now(), "r");
}

// --- triggers ---

TYPED_TEST(Pollers, tell_a_level_until_it_is_dealt_with) {
  Sockets sockets;
  ASSERT_EQ(this->watch(sockets[0], Interest::readable), 0);
  sockets.send(1);
  EXPECT_EQ(this->told(), "r");
  EXPECT_EQ(this->told_now(), "r");
  sockets.receive(0);
  EXPECT_EQ(this->told_now(), "");
}

TYPED_TEST(Pollers, tell_an_edge_once_each_time_or_refuse_it) {
  Sockets sockets;
  if (!this->knows_edges()) {
    EXPECT_EQ(this->watch(sockets[0], Interest::readable, Trigger::edge), ENOTSUP);
    ASSERT_EQ(this->watch(sockets[0], Interest::readable, Trigger::level), 0);
    EXPECT_EQ(this->rewatch(sockets[0], Interest::readable, Trigger::edge), ENOTSUP);
    sockets.send(1);
    EXPECT_EQ(this->told(), "r") << "what was refused has changed nothing";
    return;
  }
  ASSERT_EQ(this->watch(sockets[0], Interest::readable, Trigger::edge), 0);
  EXPECT_EQ(this->told_now(), "");
  for (int i = 0; i < 3; ++i) {
    sockets.send(1);
    EXPECT_EQ(this->told(), "r");
    EXPECT_EQ(this->told_now(), "") << "unread, but told";
  }
}

TYPED_TEST(Pollers, tell_an_edge_of_room_to_write_once_each_time) {
  if (!this->knows_edges()) return;  // refused: above
  Sockets sockets;
  ASSERT_EQ(this->watch(sockets[0], Interest::writable, Trigger::edge), 0);
  EXPECT_EQ(this->told_now(), "w");
  EXPECT_EQ(this->told_now(), "");
  sockets.fill(0);
  EXPECT_EQ(this->told_now(), "");
  sockets.drain(1);
  EXPECT_EQ(this->told(), "w");
  EXPECT_EQ(this->told_now(), "");
}

TYPED_TEST(Pollers, tell_once_and_then_nothing_until_asked_again) {
  Sockets sockets;
  ASSERT_EQ(this->watch(sockets[0], Interest::readable, Trigger::once), 0);
  EXPECT_EQ(this->told_now(), "");
  sockets.send(1);
  EXPECT_EQ(this->told(), "r");
  EXPECT_EQ(this->told_now(), "");
  sockets.send(1);
  EXPECT_EQ(this->told_now(), "");
  EXPECT_EQ(this->watch(sockets[0], Interest::readable), EEXIST) << "silent, but watched";
  for (int i = 0; i < 3; ++i) {
    ASSERT_EQ(this->rewatch(sockets[0], Interest::readable, Trigger::once), 0);
    EXPECT_EQ(this->told(), "r") << "it is still unread";
    EXPECT_EQ(this->told_now(), "");
  }
  sockets.drain(0);
  ASSERT_EQ(this->rewatch(sockets[0], Interest::readable, Trigger::once), 0);
  EXPECT_EQ(this->told_now(), "");
  sockets.send(1);
  EXPECT_EQ(this->told(), "r");
  EXPECT_EQ(this->poller().unwatch(sockets[0]), 0);
}

TYPED_TEST(Pollers, tell_once_for_both_directions_together) {
  Sockets sockets;
  ASSERT_EQ(this->watch(sockets[0], Interest::both, Trigger::once), 0);
  EXPECT_EQ(this->told_now(), "w");
  sockets.send(1);
  EXPECT_EQ(this->told_now(), "");
  ASSERT_EQ(this->rewatch(sockets[0], Interest::both, Trigger::once), 0);
  EXPECT_EQ(this->told(), "rw");
  EXPECT_EQ(this->told_now(), "");
}

TYPED_TEST(Pollers, say_nothing_of_a_hang_up_after_they_have_told_once) {
  Sockets sockets;
  ASSERT_EQ(this->watch(sockets[0], Interest::both, Trigger::once), 0);
  EXPECT_EQ(this->told_now(), "w");
  sockets.close_end(1);
  EXPECT_EQ(this->told_now(), "");
  ASSERT_EQ(this->rewatch(sockets[0], Interest::both, Trigger::once), 0);
  EXPECT_EQ(this->told(), "rw!");
  EXPECT_EQ(this->told_now(), "");
}

TYPED_TEST(Pollers, change_what_they_watch_for_and_look_again) {
  Sockets sockets;
  sockets.send(1);
  ASSERT_EQ(this->watch(sockets[0], Interest::readable, Trigger::once), 0);
  EXPECT_EQ(this->told(), "r");
  ASSERT_EQ(this->rewatch(sockets[0], Interest::writable, Trigger::level), 0);
  EXPECT_EQ(this->told_now(), "w");
  EXPECT_EQ(this->told_now(), "w");
  ASSERT_EQ(this->rewatch(sockets[0], Interest::both, Trigger::once), 0);
  EXPECT_EQ(this->told_now(), "rw");
  EXPECT_EQ(this->told_now(), "");
  ASSERT_EQ(this->poller().rewatch(sockets[0], Interest::readable, &this->other_tag_, Trigger::level), 0);
  ASSERT_EQ(this->wait(0ns), 1u);
  EXPECT_EQ(this->ready_[0].tag, &this->other_tag_);
  if (!this->knows_edges()) return;
  for (int i = 0; i < 2; ++i) {
    ASSERT_EQ(this->rewatch(sockets[0], Interest::readable, Trigger::edge), 0);
    EXPECT_EQ(this->told_now(), "r");
    EXPECT_EQ(this->told_now(), "");
  }
}

// --- the other end ---

TYPED_TEST(Pollers, tell_a_hang_up_in_the_directions_that_were_asked_for) {
  for (const auto& [interest, expected] : std::map<Interest, std::string>{
           {Interest::readable, "r!"}, {Interest::writable, "w!"}, {Interest::both, "rw!"}}) {
    Sockets sockets;
    sockets.fill(0);
    ASSERT_EQ(this->watch(sockets[0], interest), 0);
    EXPECT_EQ(this->told_now(), "");
    sockets.close_end(1);
    EXPECT_EQ(this->told(), expected);
    EXPECT_EQ(this->poller().unwatch(sockets[0]), 0);
  }
}

TYPED_TEST(Pollers, tell_the_reader_of_a_pipe_that_nobody_writes_any_more) {
  OneWay pipe;
  ASSERT_EQ(this->watch(pipe[0], Interest::readable), 0);
  pipe.send(1);
  EXPECT_EQ(this->told(), "r");
  pipe.close_end(1);
  EXPECT_EQ(this->told(), this->is("iocp") ? "r" : "r!") << "a completion port tells the end when it comes";
  pipe.receive(0);
  EXPECT_EQ(this->told(), "r!") << "the next read tells the end";
}

#if defined(_WIN32)
TYPED_TEST(Pollers, take_no_call_of_the_owner_of_a_pipe_for_their_own) {
  OneWay pipe;
  ASSERT_EQ(this->watch(pipe[0], Interest::readable, Trigger::once), 0);
  pipe.send(1);
  EXPECT_EQ(this->told(), "r");
  OVERLAPPED owners{};
  char byte = 0;
  DWORD count = 0;
  ReadFile(testing::handle_of(pipe[0]), &byte, 1, nullptr, &owners);
  EXPECT_EQ(this->told_now(), "");
  EXPECT_TRUE(GetOverlappedResult(testing::handle_of(pipe[0]), &owners, &count, TRUE));
  EXPECT_EQ(byte, 'x');
  ASSERT_EQ(this->rewatch(pipe[0], Interest::readable, Trigger::once), 0);
  pipe.send(1);
  EXPECT_EQ(this->told(), "r");
}
#endif

TYPED_TEST(Pollers, tell_the_writer_of_a_pipe_that_nobody_reads_any_more) {
  OneWay pipe;
  if (this->is("iocp")) {
    EXPECT_EQ(this->watch(pipe[1], Interest::writable), ENOTSUP);
    return;
  }
  pipe.fill(1);
  ASSERT_EQ(this->watch(pipe[1], Interest::writable), 0);
  EXPECT_EQ(this->told_now(), "");
  pipe.close_end(0);
  EXPECT_EQ(this->told(), "w!");
}

TYPED_TEST(Pollers, tell_the_writer_of_a_pipe_that_nobody_has_ever_read_since_it_is_watched) {
  if (this->is("iocp")) return;  // see above
  OneWay pipe;
  pipe.close_end(0);
  ASSERT_EQ(this->watch(pipe[1], Interest::writable, Trigger::once), 0);
  EXPECT_EQ(this->told(), "w!");
  EXPECT_EQ(this->told_now(), "");
  ASSERT_EQ(this->poller().rewatch(pipe[1], Interest::writable, &this->tag_, Trigger::once), 0);
  EXPECT_EQ(this->told(), "w!");
}

// --- what is watched, and what is not ---

TYPED_TEST(Pollers, forget_what_they_no_longer_watch) {
  Sockets sockets;
  ASSERT_EQ(this->watch(sockets[0], Interest::readable), 0);
  sockets.send(1);
  ASSERT_EQ(this->poller().unwatch(sockets[0]), 0);
  EXPECT_EQ(this->wait(0ns), 0u);
  ASSERT_EQ(this->poller().watch(sockets[0], Interest::readable, &this->other_tag_), 0);
  ASSERT_EQ(this->wait(0ns), 1u);
  EXPECT_EQ(this->ready_[0].tag, &this->other_tag_);
}

TYPED_TEST(Pollers, refuse_what_is_watched_already_or_not_at_all) {
  Sockets sockets;
  ASSERT_EQ(this->watch(sockets[0], Interest::readable), 0);
  EXPECT_EQ(this->watch(sockets[0], Interest::writable), EEXIST);
  EXPECT_EQ(this->rewatch(sockets[1], Interest::readable, Trigger::level), ENOENT);
  EXPECT_EQ(this->poller().unwatch(sockets[1]), ENOENT);
  ASSERT_EQ(this->poller().unwatch(sockets[0]), 0);
  EXPECT_EQ(this->rewatch(sockets[0], Interest::readable, Trigger::level), ENOENT);
  EXPECT_EQ(this->poller().unwatch(sockets[0]), ENOENT);
}

TYPED_TEST(Pollers, refuse_what_is_not_open) {
  EXPECT_EQ(this->watch(-1, Interest::readable), EBADF);
  EXPECT_EQ(this->watch(1'000'000, Interest::readable), EBADF);
  EXPECT_EQ(this->poller().unwatch(-1), ENOENT);
  EXPECT_EQ(this->poller().unwatch(1'000'000), ENOENT);
}

TYPED_TEST(Pollers, refuse_files_and_directories_because_they_never_block) {
  const Descriptor file = testing::open_path(testing::kProgram);
  const Descriptor directory = testing::open_path("/");
  EXPECT_EQ(this->watch(file, Interest::readable), EPERM);
  EXPECT_EQ(this->watch(directory, Interest::readable), EPERM);
  EXPECT_EQ(this->poller().unwatch(file), ENOENT);
  testing::close_path(file);
  testing::close_path(directory);
}

TYPED_TEST(Pollers, tell_no_more_of_the_rest_of_a_batch_that_is_unwatched_while_it_is_dealt_with) {
  Sockets first, second;
  ASSERT_EQ(this->poller().watch(first[0], Interest::readable, &first), 0);
  ASSERT_EQ(this->poller().watch(second[0], Interest::readable, &second), 0);
  first.send(1);
  second.send(1);
  Ready one[1];
  ASSERT_EQ(this->poller().wait(one, kPatience), 1u);
  Sockets& other = one[0].tag == &first ? second : first;
  EXPECT_EQ(this->poller().unwatch(other[0]), 0);
  for (int i = 0; i < 3; ++i) {
    ASSERT_EQ(this->poller().wait(one, 0ns), 1u);
    EXPECT_NE(one[0].tag, &other);
  }
}

// --- many ---

TYPED_TEST(Pollers, give_no_more_than_there_is_room_for_and_the_rest_later) {
  Sockets first, second;
  ASSERT_EQ(this->poller().watch(first[0], Interest::readable, &first), 0);
  ASSERT_EQ(this->poller().watch(second[0], Interest::readable, &second), 0);
  first.send(1);
  second.send(1);
  for (int i = 0; i < 2; ++i) {
    Ready one[1];
    ASSERT_EQ(this->poller().wait(one, 0ns), 1u);
    static_cast<Sockets*>(one[0].tag)->receive(0);
  }
  EXPECT_EQ(this->wait(0ns), 0u);
}

TYPED_TEST(Pollers, give_all_a_turn_when_more_than_a_batch_are_always_ready) {
  constexpr size_t kMany = 200;
  std::map<void*, int> turns;
  std::vector<std::unique_ptr<Sockets>> many;
  for (size_t i = 0; i < kMany; ++i) {
    Sockets& sockets = *many.emplace_back(std::make_unique<Sockets>());
    sockets.send(1);
    ASSERT_EQ(this->poller().watch(sockets[0], Interest::readable, &sockets), 0);
  }
  constexpr size_t kWaits = 25;
  for (size_t i = 0; i < kWaits; ++i) {
    ASSERT_EQ(this->wait(0ns), this->ready_.size());
    for (const Ready& ready : this->ready_) ++turns[ready.tag];
  }
  ASSERT_EQ(turns.size(), kMany);
  constexpr int kFairShare = kWaits * 64 / kMany;
  for (const auto& [tag, count] : turns) EXPECT_NEAR(count, kFairShare, 1);
}

TYPED_TEST(Pollers, give_the_wake_handle_a_turn_among_many_that_are_always_ready) {
  std::vector<std::unique_ptr<Sockets>> many;
  for (int i = 0; i < 100; ++i) {
    Sockets& sockets = *many.emplace_back(std::make_unique<Sockets>());
    sockets.send(1);
    ASSERT_EQ(this->poller().watch(sockets[0], Interest::readable, &sockets), 0);
  }
  this->wake().ring();
  bool told = false;
  for (int i = 0; i < 2; ++i) {
    const size_t count = this->wait(0ns);
    told |= std::any_of(this->ready_.begin(), this->ready_.begin() + count,
                        [](const Ready& ready) { return ready.tag == nullptr; });
  }
  EXPECT_TRUE(told);
}

TYPED_TEST(Pollers, watch_more_than_a_thousand) {
  constexpr size_t kMany = 1'200;
  testing::allow_descriptors(2 * kMany + 100);
  std::vector<std::unique_ptr<Sockets>> many;
  for (size_t i = 0; i < kMany; ++i) {
    Sockets& sockets = *many.emplace_back(std::make_unique<Sockets>());
    ASSERT_EQ(this->poller().watch(sockets[0], Interest::readable, &sockets), 0);
    if (i % 2 == 0) sockets.send(1);
  }
  size_t seen = 0;
  while (const size_t count = this->wait(0ns)) {
    for (size_t i = 0; i < count; ++i) static_cast<Sockets*>(this->ready_[i].tag)->receive(0);
    seen += count;
  }
  EXPECT_EQ(seen, kMany / 2);
  for (const auto& sockets : many) EXPECT_EQ(this->poller().unwatch((*sockets)[0]), 0);
}

}  // namespace
}  // namespace offloop
