// The image of the addon itself, and of the host that loaded it.
#pragma once

namespace offloop {

/// Keeps the library that contains this code mapped until the process ends. Node unloads an addon when the last
/// environment that loaded it ends, while its threads still run; so this comes before the first thread.
void pin_image() noexcept;

/// A symbol that the host executable exports, or nullptr.
void* host_symbol(const char* name) noexcept;

}  // namespace offloop
