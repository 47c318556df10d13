#include "core/slab.hpp"

#include <gtest/gtest.h>

#include <set>

namespace offloop {
namespace {

TEST(Slab, gives_the_same_task_for_a_slot_however_it_grows) {
  Slab slab;
  Task* first = &slab.at(0);
  Task* second = &slab.at(Slab::kChunk - 1);
  slab.at(1'000'000);
  EXPECT_EQ(&slab.at(0), first);
  EXPECT_EQ(&slab.at(Slab::kChunk - 1), second);
}

TEST(Slab, gives_every_slot_a_task_of_its_own) {
  Slab slab;
  std::set<Task*> tasks;
  for (uint32_t slot = 0; slot < 3 * Slab::kChunk; ++slot) tasks.insert(&slab.at(slot));
  EXPECT_EQ(tasks.size(), 3 * Slab::kChunk);
}

TEST(Slab, aligns_tasks_to_cache_lines) {
  Slab slab;
  for (uint32_t slot = 0; slot < 8; ++slot) EXPECT_EQ(reinterpret_cast<uintptr_t>(&slab.at(slot)) % kCacheLine, 0u);
}

TEST(Slab, visits_what_is_in_flight_across_chunks_that_were_never_made) {
  Slab slab;
  std::set<Task*> expected;
  for (uint32_t slot : {0u, 5u, 10 * Slab::kChunk + 1}) {
    slab.at(slot).in_flight = true;
    expected.insert(&slab.at(slot));
  }
  slab.at(7).in_flight = false;
  std::set<Task*> visited;
  slab.each_in_flight([&](Task& task) { visited.insert(&task); });
  EXPECT_EQ(visited, expected);
}

TEST(Slab, keeps_what_it_is_told_to_keep_when_it_is_trimmed) {
  Slab slab;
  Task* first = &slab.at(0);
  slab.at(0).generation = 7;
  slab.at(5 * Slab::kChunk);
  slab.trim(1);
  EXPECT_EQ(&slab.at(0), first);
  EXPECT_EQ(slab.at(0).generation, 7u);
  EXPECT_EQ(slab.at(5 * Slab::kChunk).generation, 0u);
}

}  // namespace
}  // namespace offloop
