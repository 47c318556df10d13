// Whole pages of memory from the operating system.
#pragma once

#include <cstddef>

namespace offloop {

/// Pages that hold `bytes`, or nullptr. Giving them back shrinks the process at once, which a heap does not promise: a
/// block that lives on above them keeps it as large as it was.
void* map_pages(size_t bytes) noexcept;
void unmap_pages(void* pages, size_t bytes) noexcept;

}  // namespace offloop
