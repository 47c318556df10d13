#include "platform/pages.hpp"

#if defined(_WIN32)

#include <windows.h>

namespace offloop {

void* map_pages(size_t bytes) noexcept {
  return VirtualAlloc(nullptr, bytes, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE);
}

void unmap_pages(void* pages, size_t) noexcept { VirtualFree(pages, 0, MEM_RELEASE); }

}  // namespace offloop

#endif
