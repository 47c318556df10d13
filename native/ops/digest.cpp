#include "ops/digest.hpp"

#include <map>
#include <mutex>
#include <string>

namespace offloop::ops {
namespace {

/// Never destroyed, and nothing in it is ever freed: pool threads may still hash while the process exits. It cannot grow
/// without bound, since only names the host knows are kept, and JavaScript sends them in lower case.
struct Registry {
  std::mutex lock;
  std::map<std::string, DigestAlgorithm, std::less<>> algorithms;
};

/// OpenSSL 3.4 stopped telling the customary sizes of the SHAKE family: twice their strength, in bits.
size_t customary_size(std::string_view name) noexcept { return name.find("128") != name.npos ? 16 : 32; }

const OpenSsl::Digest* fetch(const OpenSsl& ssl, const std::string& name) {
  if (const OpenSsl::Digest* digest = ssl.fetch(nullptr, name.c_str(), nullptr)) return digest;
  // The names of signature algorithms (RSA-SHA256) stand for their digests, but cannot be fetched.
  const OpenSsl::Digest* alias = ssl.by_alias(name.c_str());
  return alias ? ssl.fetch(nullptr, ssl.name(alias), nullptr) : nullptr;
}

const DigestAlgorithm* find(const OpenSsl& ssl, std::string_view name) {
  static auto& registry = *new Registry;
  std::lock_guard guard(registry.lock);
  if (auto known = registry.algorithms.find(name); known != registry.algorithms.end()) return &known->second;

  const OpenSsl::Digest* digest = fetch(ssl, std::string(name));
  if (!digest) {
    ssl.clear_errors();
    return nullptr;
  }
  const int size = ssl.size(digest);
  const bool extendable = ssl.flags(digest) & OpenSsl::kExtendable;
  const DigestAlgorithm algorithm{digest, size > 0 ? static_cast<size_t>(size) : customary_size(name), extendable};
  return &registry.algorithms.emplace(name, algorithm).first->second;
}

}  // namespace

const DigestAlgorithm* digest_algorithm(const OpenSsl& ssl, std::string_view name) {
  struct Last {
    std::string name;
    const DigestAlgorithm* algorithm = nullptr;
  };
  thread_local Last last;
  if (last.algorithm && last.name == name) return last.algorithm;
  if (const DigestAlgorithm* algorithm = find(ssl, name)) {
    last.name = name;
    return last.algorithm = algorithm;
  }
  return nullptr;
}

}  // namespace offloop::ops
