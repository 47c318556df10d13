#include "platform/image.hpp"

#if !defined(_WIN32)

#include <dlfcn.h>

namespace offloop {

void pin_image() noexcept {
  Dl_info self;
  if (dladdr(reinterpret_cast<void*>(&pin_image), &self))
    dlopen(self.dli_fname, RTLD_NOW | RTLD_NODELETE | RTLD_NOLOAD);
}

void* host_symbol(const char* name) noexcept { return dlsym(RTLD_DEFAULT, name); }

}  // namespace offloop

#endif
