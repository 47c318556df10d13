// Timing things, and saying what came out.
#pragma once

#include <algorithm>
#include <cstdio>
#include <functional>
#include <vector>

#include "base/cpu.hpp"

namespace offloop::bench {

/// The value below which `share` of all are. Sorts them.
inline double quantile(std::vector<double>& values, double share) {
  std::sort(values.begin(), values.end());
  return values[static_cast<size_t>(static_cast<double>(values.size() - 1) * share)];
}

inline void print_head() { std::printf("%-44s %10s %10s\n", "", "median", "p99"); }

inline void print(const char* name, const char* unit, std::vector<double> values) {
  std::printf("%-44s %10.3f %10.3f  %s\n", name, quantile(values, 0.5), quantile(values, 0.99), unit);
}

/// Runs `sample` often enough for a median and a 99th percentile of what it returns.
inline void report(const char* name, const char* unit, const std::function<double()>& sample, int samples) {
  std::vector<double> values;
  for (int i = 0; i < samples / 10 + 1; ++i) sample();
  for (int i = 0; i < samples; ++i) values.push_back(sample());
  print(name, unit, std::move(values));
}

/// Nanoseconds for each of `count` in one call of `work`.
inline double ns_each(int count, const std::function<void()>& work) {
  const int64_t began = steady_ns();
  work();
  return static_cast<double>(steady_ns() - began) / count;
}

}  // namespace offloop::bench
