#include "base/patient_lock.hpp"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

#include "support/gate.hpp"

namespace offloop {
namespace {

TEST(PatientLock, lets_one_in_at_a_time) {
  std::mutex mutex;
  int count = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 20'000; ++i) {
        PatientLock lock(mutex);
        ++count;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(count, 80'000);
}

TEST(PatientLock, waits_longer_than_it_spins) {
  std::mutex mutex;
  testing::Gate tries;
  bool entered = false;
  mutex.lock();
  std::thread other([&] {
    tries.open();
    PatientLock lock(mutex);
    entered = true;
  });
  ASSERT_TRUE(tries.wait());
  for (int i = 0; i < 1'000; ++i) std::this_thread::yield();
  EXPECT_FALSE(entered);
  mutex.unlock();
  other.join();
  EXPECT_TRUE(entered);
}

TEST(PatientLock, can_be_opened_and_closed_by_hand) {
  std::mutex mutex;
  {
    PatientLock lock(mutex);
    lock.unlock();
    EXPECT_TRUE(mutex.try_lock());
    mutex.unlock();
    lock.lock();
    lock.unlock();
  }
  EXPECT_TRUE(mutex.try_lock());
  mutex.unlock();
}

}  // namespace
}  // namespace offloop
