#include "base/histogram.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <thread>
#include <vector>

namespace offloop {
namespace {

Histogram::Total total_of(const Histogram& histogram) {
  Histogram::Total total;
  total.add(histogram);
  return total;
}

/// What a histogram still knows of a value when there is a larger one beside it.
uint64_t seen_as(int64_t value) {
  Histogram histogram;
  histogram.add(value);
  histogram.add(INT64_MAX);
  return total_of(histogram).percentile(0.5);
}

TEST(Histogram, is_empty_at_first) {
  Histogram::Total total = total_of(Histogram());
  EXPECT_EQ(total.count(), 0u);
  EXPECT_EQ(total.mean(), 0);
  EXPECT_EQ(total.min(), 0u);
  EXPECT_EQ(total.max(), 0u);
  for (double share : {0.0, 0.5, 1.0}) EXPECT_EQ(total.percentile(share), 0u);
}

TEST(Histogram, knows_values_below_16_exactly_and_the_next_16_too) {
  for (int64_t value = 0; value < 32; ++value) EXPECT_EQ(seen_as(value), static_cast<uint64_t>(value));
}

TEST(Histogram, puts_two_neighbours_into_one_bucket_from_32_on) {
  EXPECT_EQ(seen_as(32), 33u);
  EXPECT_EQ(seen_as(33), 33u);
  EXPECT_EQ(seen_as(34), 35u);
  EXPECT_EQ(seen_as(63), 63u);
  EXPECT_EQ(seen_as(64), 67u);
}

TEST(Histogram, knows_any_value_within_a_sixteenth_of_itself) {
  std::mt19937_64 random(2026);
  std::vector<int64_t> values;
  for (int bits = 0; bits < 63; ++bits) {
    const int64_t power = int64_t{1} << bits;
    values.insert(values.end(), {power - 1, power, power + 1});
    for (int i = 0; i < 100; ++i) values.push_back(power + static_cast<int64_t>(random() % power));
  }
  values.push_back(INT64_MAX);
  for (int64_t value : values) {
    const auto exact = static_cast<uint64_t>(value);
    EXPECT_GE(seen_as(value), exact);
    EXPECT_LE(seen_as(value) - exact, exact / 16) << value;
  }
}

TEST(Histogram, keeps_the_order_of_values) {
  for (int bits = 4; bits < 62; ++bits) {
    const int64_t power = int64_t{1} << bits;
    for (int64_t step = 0; step < 16; ++step) {
      const int64_t first = power + step * (power / 16);  // of its bucket
      EXPECT_LT(seen_as(first - 1), seen_as(first)) << first;
      EXPECT_EQ(seen_as(first), seen_as(first + power / 16 - 1)) << first;
    }
  }
}

TEST(Histogram, counts_negative_values_as_zero) {
  Histogram histogram;
  for (int64_t value : {int64_t{-1}, int64_t{-1'000'000}, INT64_MIN}) histogram.add(value);
  const Histogram::Total total = total_of(histogram);
  EXPECT_EQ(total.count(), 3u);
  EXPECT_EQ(total.max(), 0u);
  EXPECT_EQ(total.mean(), 0);
  EXPECT_EQ(total.percentile(1), 0u);
}

TEST(Histogram, knows_the_largest_value_exactly) {
  Histogram histogram;
  histogram.add(1'000'003);
  EXPECT_EQ(total_of(histogram).max(), 1'000'003u);
  EXPECT_EQ(total_of(histogram).percentile(1), 1'000'003u) << "a percentile is never above the maximum";
  histogram.add(77);
  EXPECT_EQ(total_of(histogram).max(), 1'000'003u);
  histogram.add(INT64_MAX);
  EXPECT_EQ(total_of(histogram).max(), static_cast<uint64_t>(INT64_MAX));
  EXPECT_EQ(total_of(histogram).percentile(1), static_cast<uint64_t>(INT64_MAX));
}

TEST(Histogram, counts_a_value_as_often_as_it_is_told) {
  Histogram histogram;
  histogram.add(10, 3);
  histogram.add(20);
  histogram.add(5, 0);
  const Histogram::Total total = total_of(histogram);
  EXPECT_EQ(total.count(), 4u);
  EXPECT_EQ(total.mean(), 12.5);
  EXPECT_EQ(total.percentile(0.75), 10u);
  EXPECT_EQ(total.percentile(0.76), 20u);
  EXPECT_EQ(total.min(), 10u);
}

TEST(Histogram, agrees_with_a_sorted_array_about_percentiles) {
  std::mt19937_64 random(2026);
  std::uniform_real_distribution<double> exponent(0, 40);
  for (size_t count : {1u, 2u, 3u, 10u, 1'000u, 20'000u}) {
    Histogram histogram;
    std::vector<int64_t> values;
    double sum = 0;
    for (size_t i = 0; i < count; ++i) {
      values.push_back(static_cast<int64_t>(std::exp2(exponent(random))));
      histogram.add(values.back());
      sum += static_cast<double>(values.back());
    }
    std::sort(values.begin(), values.end());
    const Histogram::Total total = total_of(histogram);
    EXPECT_EQ(total.count(), count);
    EXPECT_EQ(total.max(), static_cast<uint64_t>(values.back()));
    EXPECT_NEAR(total.mean(), sum / static_cast<double>(count), 1e-9 * sum);
    for (double share : {0.0, 0.001, 0.25, 0.5, 0.75, 0.875, 0.99, 0.999, 1.0}) {
      const double wanted = std::ceil(share * static_cast<double>(count));
      const auto exact = static_cast<uint64_t>(values[std::max<size_t>(static_cast<size_t>(wanted), 1) - 1]);
      const uint64_t told = total.percentile(share);
      EXPECT_GE(told, exact) << share << " of " << count;
      EXPECT_LE(told - exact, exact / 16) << share << " of " << count;
      EXPECT_LE(told, total.max());
    }
  }
}

TEST(Histogram, adds_up_to_what_one_histogram_of_everything_would_tell) {
  std::mt19937_64 random(2026);
  Histogram parts[3];
  Histogram all;
  for (int i = 0; i < 10'000; ++i) {
    const auto value = static_cast<int64_t>(random() >> random() % 64);
    parts[random() % 3].add(value);
    all.add(value);
  }
  Histogram::Total total;
  for (const Histogram& part : parts) total.add(part);
  const Histogram::Total expected = total_of(all);
  EXPECT_EQ(total.count(), expected.count());
  EXPECT_EQ(total.max(), expected.max());
  EXPECT_EQ(total.mean(), expected.mean());
  for (int i = 0; i <= 1'000; ++i) EXPECT_EQ(total.percentile(i / 1'000.0), expected.percentile(i / 1'000.0));
}

TEST(Histogram, can_be_read_while_it_is_written) {
  constexpr uint64_t kValues = 200'000;
  Histogram histogram;
  std::atomic<bool> done{false};
  std::thread writer([&] {
    for (uint64_t i = 1; i <= kValues; ++i) histogram.add(static_cast<int64_t>(i % 1'000));
    done = true;
  });
  uint64_t before = 0;
  while (!done) {
    const Histogram::Total total = total_of(histogram);
    ASSERT_GE(total.count(), before);
    ASSERT_LE(total.count(), kValues);
    ASSERT_LE(total.percentile(1), 999u);
    before = total.count();
  }
  writer.join();
  EXPECT_EQ(total_of(histogram).count(), kValues);
  EXPECT_EQ(total_of(histogram).mean(), 499.5);
}

}  // namespace
}  // namespace offloop
