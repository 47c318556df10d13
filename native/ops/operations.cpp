#include "ops/operations.hpp"

#include "ops/bodies.hpp"

namespace offloop {

std::span<const Operation> operations() noexcept {
  static constexpr bool kBrief = true;
  static constexpr bool kLong = false;
  static constexpr Operation kOperations[] = {
      {"noop", ops::noop, kBrief},      {"spin", ops::spin, kLong},           {"sleep", ops::sleep, kBrief},
      {"lookup", ops::lookup, kLong},   {"readFile", ops::read_file, kLong},  {"writeFile", ops::write_file, kLong},
      {"stat", ops::stat, kLong},       {"exists", ops::exists, kLong},       {"unlink", ops::unlink, kLong},
      {"hash", ops::hash, kBrief},      {"scrypt", ops::scrypt, kLong},       {"pbkdf2", ops::pbkdf2, kLong},
      {"deflate", ops::deflate, kLong}, {"inflate", ops::inflate, kLong},     {"gzip", ops::gzip, kLong},
      {"gunzip", ops::gunzip, kLong},   {"toBase64", ops::to_base64, kBrief}, {"fromBase64", ops::from_base64, kBrief},
      {"produce", ops::produce, kLong}, {"relay", ops::relay, kLong},         {"readLines", ops::read_lines, kLong},
  };
  return kOperations;
}

std::span<const Operation> steps() noexcept {
  static constexpr bool kLong = false;
  static constexpr Operation kSteps[] = {
      {"readFile", ops::read_file_step, kLong},
      {"writeFile", ops::write_file_step, kLong},
      {"hash", ops::hash_step, kLong},
      {"deflate", ops::deflate_step, kLong},
      {"inflate", ops::inflate_step, kLong},
      {"gzip", ops::gzip_step, kLong},
      {"gunzip", ops::gunzip_step, kLong},
      {"toBase64", ops::to_base64_step, kLong},
      {"fromBase64", ops::from_base64_step, kLong},
      {"endStream", ops::end_stream, kLong},
  };
  return kSteps;
}

const Operation& operation_at(size_t index) noexcept {
  const auto whole = operations();
  return index < whole.size() ? whole[index] : steps()[index - whole.size()];
}

}  // namespace offloop
