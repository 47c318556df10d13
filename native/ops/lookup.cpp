#include <string_view>

#include "ops/bodies.hpp"
#include "platform/resolver.hpp"

namespace offloop::ops {
namespace {

/// The longest name libuv passes on; the resolver's answer to a longer one depends on the system.
constexpr size_t kLongest = 255;

Status returns_address(Call& call, std::string_view text, int family) {
  auto* pair = reinterpret_cast<Value*>(call.scratch(2 * sizeof(Value)));
  pair[0] = call.text_value(text);
  pair[1] = Value::of(static_cast<double>(family));
  return call.returns(Value::tuple(pair, 2));
}

}  // namespace

Status lookup(Call& call) {
  if (const int literal = static_cast<int>(call.number(2))) return returns_address(call, call.text(0), literal);
  const std::string_view host = call.text(1);
  if (host.size() > kLongest) return call.fails_in_resolver("EINVAL", -22);

  char name[kLongest + 1];
  name[host.copy(name, kLongest)] = 0;
  Address address;
  const ResolverError error = resolve(name, static_cast<AddressOrder>(static_cast<int>(call.number(3))), address);
  if (error.name) return call.fails_in_resolver(error.name, error.number);
  if (error.number) return call.fails_in_system("getaddrinfo", error.number);
  return returns_address(call, address.text, address.family);
}

}  // namespace offloop::ops
