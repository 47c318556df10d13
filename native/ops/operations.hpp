// Every built-in operation, by name.
#pragma once

#include <span>

#include "offloop/task.hpp"

namespace offloop {

/// In a fixed order: JavaScript looks a name up once and then speaks in indices.
std::span<const Operation> operations() noexcept;

}  // namespace offloop
