// Functions of a library that the host executable brings along. Linking our own copy would put two of them in one process.
#pragma once

#include "platform/image.hpp"

namespace offloop::ops {

/// Looks a function up once, under its own name. Returns whether the host has it.
template <class Function>
bool find_in_host(Function*& function, const char* name) noexcept {
  function = reinterpret_cast<Function*>(host_symbol(name));
  return function != nullptr;
}

}  // namespace offloop::ops
