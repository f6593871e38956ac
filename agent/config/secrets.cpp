#include "agent/config/secrets.h"

#include <variant>

#include "probes/kit/crypto.h"

namespace holdshort {
namespace {

void add(const BearerIdentity& identity, std::vector<Secret>& secrets) { secrets.push_back(identity.token); }
void add(const BasicIdentity& identity, std::vector<Secret>& secrets) {
  secrets.push_back(identity.password);
  secrets.emplace_back(crypto::base64(identity.user + ":" + std::string(identity.password.reveal())));
}
void add(const ApiKeyIdentity& identity, std::vector<Secret>& secrets) { secrets.push_back(identity.value); }
void add(const CookieIdentity& identity, std::vector<Secret>& secrets) { secrets.push_back(identity.value); }
void add(const JwtIdentity& identity, std::vector<Secret>& secrets) {
  const auto* secret = identity.token.key() ? std::get_if<Secret>(identity.token.key())
                                            : std::get_if<Secret>(&identity.token.from);
  if (secret) secrets.push_back(*secret);
}
void add(const LoginIdentity& identity, std::vector<Secret>& secrets) {
  secrets.push_back(identity.body);
  secrets.insert(secrets.end(), identity.variables.begin(), identity.variables.end());
}

}  // namespace

std::vector<Secret> credentials_of(const Config& config) {
  std::vector<Secret> credentials;
  for (const auto& [name, identity] : config.identities) {
    const auto* jwt = std::get_if<JwtIdentity>(&identity);
    if (jwt && jwt->token.key()) continue;
    std::visit([&](const auto& kind) { add(kind, credentials); }, identity);
  }
  return credentials;
}

std::vector<Secret> secrets_of(const Config& config) {
  std::vector<Secret> secrets;
  if (config.agent.status_token) secrets.push_back(config.agent.status_token->value);
  for (const auto& [name, identity] : config.identities)
    std::visit([&](const auto& kind) { add(kind, secrets); }, identity);
  for (const ProbeConfig& probe : config.probes) probe.values->collect_secrets(secrets);
  return secrets;
}

}  // namespace holdshort
