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
  };
  return kOperations;
}

}  // namespace offloop
