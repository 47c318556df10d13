// Text as the system takes it.
#pragma once

#include <string>
#include <string_view>

namespace offloop {

/// UTF-8 as UTF-16; what is not UTF-8 becomes U+FFFD. Throws std::bad_alloc.
std::wstring to_wide(std::string_view text);

/// A path for the system's calls: absolute and with the prefix that lets it be longer than 259, as Node makes it.
/// Throws std::bad_alloc.
std::wstring to_wide_path(const char* path);

}  // namespace offloop
