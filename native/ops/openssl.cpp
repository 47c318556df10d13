#include "ops/openssl.hpp"

#include "ops/host_table.hpp"

namespace offloop::ops {
namespace {

struct Found {
  OpenSsl table;
  bool complete;
};

Found find() noexcept {
  Found found{};
  OpenSsl& t = found.table;
  found.complete = find_in_host(t.fetch, "EVP_MD_fetch") && find_in_host(t.by_alias, "EVP_get_digestbyname") &&
                   find_in_host(t.name, "EVP_MD_get0_name") && find_in_host(t.size, "EVP_MD_get_size") &&
                   find_in_host(t.flags, "EVP_MD_get_flags") && find_in_host(t.make_context, "EVP_MD_CTX_new") &&
                   find_in_host(t.free_context, "EVP_MD_CTX_free") && find_in_host(t.begin, "EVP_DigestInit_ex") &&
                   find_in_host(t.update, "EVP_DigestUpdate") && find_in_host(t.finish, "EVP_DigestFinal_ex") &&
                   find_in_host(t.finish_xof, "EVP_DigestFinalXOF") && find_in_host(t.scrypt, "EVP_PBE_scrypt") &&
                   find_in_host(t.pbkdf2, "PKCS5_PBKDF2_HMAC") && find_in_host(t.encode_base64, "EVP_EncodeBlock") &&
                   find_in_host(t.decode_base64, "EVP_DecodeBlock") && find_in_host(t.clear_errors, "ERR_clear_error");
  return found;
}

}  // namespace

const OpenSsl* OpenSsl::of_host() noexcept {
  static const Found found = find();
  return found.complete ? &found.table : nullptr;
}

}  // namespace offloop::ops
