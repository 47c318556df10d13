#include "platform/pages.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>

namespace offloop {
namespace {

TEST(Pages, are_aligned_empty_and_writable) {
  constexpr size_t kBytes = 256 * 1024;
  auto* bytes = static_cast<uint8_t*>(map_pages(kBytes));
  ASSERT_NE(bytes, nullptr);
  EXPECT_EQ(reinterpret_cast<uintptr_t>(bytes) % 4096, 0u);
  for (size_t i = 0; i < kBytes; ++i) ASSERT_EQ(bytes[i], 0);
  std::memset(bytes, 0xff, kBytes);
  unmap_pages(bytes, kBytes);
}

TEST(Pages, are_refused_when_there_are_not_enough) { EXPECT_EQ(map_pages(size_t{1} << 60), nullptr); }

}  // namespace
}  // namespace offloop
