// What the suites of the pool share.
#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <memory>

#include "core/pool.hpp"
#include "support/environment.hpp"
#include "support/faults.hpp"
#include "support/gate.hpp"

namespace offloop {

using testing::close_and_wait;
using testing::Environment;
using testing::eventually;
using testing::Gate;
using testing::make_pool;
using testing::pool_options;

/// A pool that closes in order, and an environment that uses it.
class PoolTest : public ::testing::Test {
 protected:
  void open(Pool::Options options) { pool_ = make_pool(std::move(options)); }
  void open(uint32_t threads, uint32_t capacity = 1u << 20) {
    auto options = pool_options();
    options.threads = threads;
    options.capacity = capacity;
    open(options);
  }
  void TearDown() override {
    testing::fail_thread_starts(testing::kNever);
    gate_.open();
    second_gate_.open();
    environment_.await_all();
    if (pool_) close_and_wait(environment_, *pool_);
  }

  /// A task that waits at the gate, and has begun when this returns.
  Task& occupy() {
    auto begun = std::make_shared<Gate>();
    Task& task = environment_.run(*pool_, [this, begun](Call& call) {
      begun->open();
      gate_.wait();
      return call.returns();
    });
    EXPECT_TRUE(begun->wait());
    return task;
  }
  /// Starts all threads, and has them parked when this returns.
  void park_all(uint32_t threads) {
    auto all_here = std::make_shared<std::atomic<uint32_t>>(0);
    for (uint32_t i = 0; i < threads; ++i) {
      environment_.run(*pool_, [all_here, threads](Call& call) {
        ++*all_here;
        EXPECT_TRUE(eventually([&] { return *all_here == threads; }));
        return call.returns();
      });
    }
    environment_.await_all();
    ASSERT_TRUE(eventually([&] { return pool_->counts().parked == threads; }));
  }
  static Status nothing(Call& call) { return call.returns(); }

  std::shared_ptr<Pool> pool_;
  Gate gate_;
  Gate second_gate_;
  Gate begun_;
  Environment environment_;
};

}  // namespace offloop
