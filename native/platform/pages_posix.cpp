#include "platform/pages.hpp"

#if !defined(_WIN32)

#include <sys/mman.h>

namespace offloop {

void* map_pages(size_t bytes) noexcept {
  void* pages = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  return pages == MAP_FAILED ? nullptr : pages;
}

void unmap_pages(void* pages, size_t bytes) noexcept { munmap(pages, bytes); }

}  // namespace offloop

#endif
