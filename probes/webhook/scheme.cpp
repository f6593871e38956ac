#include "probes/webhook/scheme.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "probes/kit/ascii.h"
#include "probes/kit/json.h"

namespace holdshort::webhook {
namespace {

using crypto::Digest;

using Words = std::vector<std::pair<std::string_view, std::string>>;

// `text` with {word} replaced; other braces stay, as JSON has them.
std::string filled(std::string_view text, const Words& words) {
  std::string out;
  while (!text.empty()) {
    const auto word = std::find_if(words.begin(), words.end(), [&](const auto& each) {
      return text.starts_with('{') && text.substr(1).starts_with(each.first) &&
             text.substr(1 + each.first.size()).starts_with('}');
    });
    if (word == words.end()) {
      out += text.front();
      text.remove_prefix(1);
    } else {
      out += word->second;
      text.remove_prefix(word->first.size() + 2);
    }
  }
  return out;
}

std::optional<Digest> digest_of(std::string_view algorithm) {
  std::string name = ascii::lowered(algorithm);
  std::erase_if(name, [](char c) { return c == '-' || c == '_'; });
  if (name.starts_with("hmac")) name.erase(0, std::string_view("hmac").size());
  if (name == "sha1") return Digest::sha1;
  if (name == "sha256") return Digest::sha256;
  if (name == "sha384") return Digest::sha384;
  if (name == "sha512") return Digest::sha512;
  return std::nullopt;
}

constexpr std::array<std::string_view, 3> kEncodings = {"base64url", "base64", "hex"};

bool has_word(std::string_view text, std::string_view word) {
  return text.find(fmt::format("{{{}}}", word)) != std::string_view::npos;
}

// The places in `json` that hold a character of a string's value, escapes left out; keys are none.
std::vector<std::size_t> value_characters(std::string_view json) {
  std::vector<std::size_t> found;
  for (std::size_t i = 0; i < json.size(); ++i) {
    if (json[i] != '"') continue;
    std::vector<std::size_t> inside;
    std::size_t escaped_until = 0;
    for (++i; i < json.size() && json[i] != '"'; ++i) {
      if (json[i] == '\\') {
        escaped_until = i + (json.substr(i + 1).starts_with('u') ? 5 : 1);
        ++i;
      } else if (i > escaped_until && (ascii::is_letter(json[i]) || ascii::is_digit(json[i]))) {
        inside.push_back(i);
      }
    }
    const std::size_t next = json.find_first_not_of(" \t\r\n", i + 1);
    const bool is_key = next != std::string_view::npos && json[next] == ':';
    if (!is_key && inside.size() > found.size()) found = std::move(inside);
  }
  return found;
}

}  // namespace

const Scheme* find_scheme(std::string_view name) {
  static const Scheme github{
      .header = "X-Hub-Signature-256",
      .digest = Digest::sha256,
      .format = "sha256={hex}",
      .signed_text = "{body}",
      .timestamp_header = "",
      .headers = {{"X-GitHub-Event", "ping"}},
      .event = R"({"zen":"Hold short of the runway.","hook_id":0,"hook":{"type":"App","id":0,"name":"web",)"
               R"("active":true,"events":["ping"]},"sender":{"login":"holdshort-{id}"}})"};
  static const Scheme stripe{
      .header = "Stripe-Signature",
      .digest = Digest::sha256,
      .format = "t={timestamp},v1={hex}",
      .signed_text = "{timestamp}.{body}",
      .timestamp_header = "",
      .headers = {},
      .event = R"({"id":"evt_holdshort{id}","object":"event","created":{timestamp},"livemode":false,)"
               R"("type":"holdshort.noop","data":{"object":{"id":"holdshort","object":"noop"}}})"};
  static const Scheme slack{.header = "X-Slack-Signature",
                            .digest = Digest::sha256,
                            .format = "v0={hex}",
                            .signed_text = "v0:{timestamp}:{body}",
                            .timestamp_header = "X-Slack-Request-Timestamp",
                            .headers = {},
                            .event = R"({"type":"url_verification","challenge":"holdshort{id}"})"};
  if (name == "github") return &github;
  if (name == "stripe") return &stripe;
  return name == "slack" ? &slack : nullptr;
}

Result<Scheme> custom_scheme(const std::string& header, std::string_view algorithm, std::string_view format) {
  const std::optional<Digest> digest = digest_of(algorithm);
  if (!digest)
    return failure(
        R"("algorithm" is none that we sign with, expected "sha256", "sha512", "sha384" or "sha1")");
  std::string text(format);
  if (std::find(kEncodings.begin(), kEncodings.end(), format) != kEncodings.end()) text = "{" + text + "}";
  const auto encodings = std::count_if(kEncodings.begin(), kEncodings.end(),
                                       [&](std::string_view word) { return has_word(text, word); });
  const std::string rest = filled(text, {{"hex", ""}, {"base64", ""}, {"base64url", ""}, {"timestamp", ""}});
  if (encodings != 1 || rest.find_first_of("{}") != std::string::npos || ascii::has_control(rest))
    return failure(
        R"("format" is no template, expected one of {hex}, {base64} and {base64url} in it, such as "sha256={hex}" or "t={timestamp},v1={hex}")");
  Scheme scheme;
  scheme.header = header;
  scheme.digest = *digest;
  scheme.format = std::move(text);
  scheme.signed_text = has_word(scheme.format, "timestamp") ? "{timestamp}.{body}" : "{body}";
  scheme.event = R"({"id":"evt_holdshort{id}","type":"holdshort.noop","created":{timestamp},"data":{}})";
  return scheme;
}

std::vector<Header> sign(const Scheme& scheme, const Signing& signing) {
  const std::string text = filled(scheme.signed_text, {{"timestamp", std::to_string(signing.signed_at)},
                                                       {"body", std::string(signing.body)}});
  const std::string mac = crypto::hmac(scheme.digest, signing.key, text);
  const std::string shown_at = std::to_string(signing.shown_at);
  std::vector<Header> headers{
      {scheme.header, filled(scheme.format, {{"timestamp", shown_at},
                                             {"hex", crypto::hex(mac)},
                                             {"base64", crypto::base64(mac)},
                                             {"base64url", crypto::base64url(mac)}})}};
  if (!scheme.timestamp_header.empty()) headers.push_back({scheme.timestamp_header, shown_at});
  return headers;
}

std::string no_op(const Scheme& scheme, std::string_view id, std::int64_t now) {
  return filled(scheme.event, {{"id", std::string(id)}, {"timestamp", std::to_string(now)}});
}

std::string changed(std::string body) {
  std::vector<std::size_t> places;
  const bool is_json = json::is_json(body);
  if (is_json) places = value_characters(body);
  if (places.empty()) {  // numbers, or no JSON at all
    for (std::size_t i = 0; i < body.size(); ++i)
      if (ascii::is_digit(body[i]) || (!is_json && ascii::is_letter(body[i]))) places.push_back(i);
  }
  if (places.empty()) return body + " ";
  char& c = body[places[places.size() / 2]];
  if (ascii::is_digit(c)) {
    c = c == '1' ? '2' : '1';
  } else {
    c = c == 'x' ? 'y' : 'x';
  }
  return body;
}

}  // namespace holdshort::webhook
