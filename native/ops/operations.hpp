// Every built-in operation, by name.
#pragma once

#include <span>

#include "offloop/task.hpp"

namespace offloop {

/// In a fixed order: JavaScript looks a name up once and then speaks in indices.
std::span<const Operation> operations() noexcept;

/// The steps of those that work on streams, by the same names. JavaScript counts on where the others end.
std::span<const Operation> steps() noexcept;

/// What JavaScript means by an index.
const Operation& operation_at(size_t index) noexcept;

}  // namespace offloop
