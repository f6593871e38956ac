#include "probes/rate_limit/headers.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <ctime>

#include "probes/kit/ascii.h"

namespace holdshort::rate_limit {

namespace {

// Splits at `mark` outside of double quotes.
std::vector<std::string_view> split(std::string_view text, char mark) {
  std::vector<std::string_view> parts;
  bool quoted = false;
  std::size_t begin = 0;
  for (std::size_t i = 0; i <= text.size(); ++i) {
    if (i < text.size() && text[i] == '"') quoted = !quoted;
    if (i < text.size() && (text[i] != mark || quoted)) continue;
    parts.push_back(ascii::trim(text.substr(begin, i - begin)));
    begin = i + 1;
  }
  return parts;
}

std::optional<double> number(std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || !std::isfinite(value)) return std::nullopt;
  return value;
}

std::optional<std::int64_t> whole(std::optional<double> value) {
  if (!value || std::abs(*value) > 1e15) return std::nullopt;
  return static_cast<std::int64_t>(*value);
}

struct Item {
  std::string_view head;  // without its quotes
  std::vector<std::pair<std::string_view, std::string_view>> parameters;

  std::optional<double> value(std::string_view key) const {
    for (const auto& [name, text] : parameters)
      if (same_name(name, key)) return number(text);
    return std::nullopt;
  }
};

std::vector<Item> items(std::string_view field) {
  std::vector<Item> list;
  for (const std::string_view part : split(field, ',')) {
    const auto pieces = split(part, ';');
    if (pieces.empty() || pieces[0].empty() || list.size() >= kMaxAdvertised) continue;
    Item item{pieces[0], {}};
    if (item.head.size() >= 2 && item.head.front() == '"')
      item.head = item.head.substr(1, item.head.size() - 2);
    for (std::size_t i = 1; i < pieces.size(); ++i) {
      const std::size_t equals = pieces[i].find('=');
      if (equals == std::string_view::npos) continue;
      item.parameters.emplace_back(ascii::trim(pieces[i].substr(0, equals)),
                                   ascii::trim(pieces[i].substr(equals + 1)));
    }
    list.push_back(std::move(item));
  }
  return list;
}

// Servers write seconds from now, seconds since the epoch, or milliseconds since the epoch; the size tells
// which.
std::optional<double> reset_in(std::optional<double> value, Wall now) {
  if (!value) return std::nullopt;
  constexpr double kDeltaBelow = 1e8, kSecondsBelow = 1e11;
  const double epoch = std::chrono::duration<double>(now.time_since_epoch()).count();
  if (*value < kDeltaBelow) return value;
  return std::max(0.0, (*value < kSecondsBelow ? *value : *value / 1000) - epoch);
}

class Reader {
 public:
  Reader(const std::vector<Header>& headers, Wall now) : headers_(headers), now_(now) {}

  std::vector<Advertised> read() {
    for (const Header& header : headers_) {
      if (same_name(header.name, "RateLimit-Policy")) read_policy(header.value);
    }
    for (const Header& header : headers_) {
      if (same_name(header.name, "RateLimit")) read_state(header.value);
    }
    for (const std::string_view prefix : {"RateLimit-", "X-RateLimit-", "X-Rate-Limit-"}) {
      read_triple(prefix, "");
      for (const std::string_view scope : {"User", "Path", "UserPath"}) read_triple(prefix, scope);
      for (const auto& [unit, seconds] : kUnits) read_unit(prefix, unit, seconds);
    }
    return std::move(list_);
  }

 private:
  static constexpr std::array<std::pair<std::string_view, double>, 4> kUnits{
      {{"-Second", 1}, {"-Minute", 60}, {"-Hour", 3600}, {"-Day", 86400}}};

  void add(Advertised one) {
    if (list_.size() < kMaxAdvertised) list_.push_back(std::move(one));
  }

  const std::string* field(std::string_view prefix, std::string_view name) const {
    return find_header(headers_, std::string(prefix) + std::string(name));
  }

  void read_policy(std::string_view text) {
    for (const Item& item : items(text)) {
      const auto bare = number(item.head);
      Advertised one;
      one.name = bare ? "" : std::string(item.head);
      one.limit = whole(bare ? bare : item.value("q"));
      one.window = item.value("w");
      if (one.limit) add(std::move(one));
    }
  }

  void read_state(std::string_view text) {
    Advertised old;  // draft 7: limit=5, remaining=4, reset=60
    for (const Item& item : items(text)) {
      const std::size_t equals = item.head.find('=');
      if (equals != std::string_view::npos) {
        const std::string_view key = ascii::trim(item.head.substr(0, equals));
        const auto value = number(ascii::trim(item.head.substr(equals + 1)));
        if (same_name(key, "limit")) old.limit = whole(value);
        if (same_name(key, "remaining")) old.remaining = whole(value);
        if (same_name(key, "reset")) old.reset = reset_in(value, now_);
        continue;
      }
      Advertised state;
      state.name = item.head;
      state.remaining = whole(item.value("r"));
      state.reset = reset_in(item.value("t"), now_);
      merge(std::move(state), [&](const Advertised& policy) { return policy.name == item.head; });
    }
    const auto limit = old.limit;
    if (limit || old.remaining)
      merge(std::move(old), [&](const Advertised& policy) { return policy.limit == limit; });
  }

  template <class Same>
  void merge(Advertised state, Same same) {
    const auto it = std::find_if(list_.begin(), list_.end(), same);
    if (it == list_.end()) return add(std::move(state));
    it->remaining = state.remaining;
    it->reset = state.reset;
  }

  // X-RateLimit-Limit, -Remaining, -Reset; the limit may carry policies: "10, 10;w=1".
  void read_triple(std::string_view prefix, std::string_view scope) {
    const std::string before = std::string(prefix) + std::string(scope);
    const std::string *limit = field(before, "Limit"), *remaining = field(before, "Remaining");
    if (!limit && !remaining) return;
    Advertised one;
    if (limit) {
      const auto parts = items(*limit);
      if (!parts.empty()) one.limit = whole(number(parts[0].head));
      for (const Item& part : parts)
        if (!one.window) one.window = part.value("w");
    }
    if (remaining) one.remaining = whole(number(ascii::trim(*remaining)));
    if (const std::string* reset = field(before, "Reset"))
      one.reset = reset_in(number(ascii::trim(*reset)), now_);
    add(std::move(one));
  }

  void read_unit(std::string_view prefix, std::string_view unit, double seconds) {
    const std::string *limit = field(prefix, "Limit" + std::string(unit)),
                      *remaining = field(prefix, "Remaining" + std::string(unit));
    if (!limit) return;
    Advertised one;
    one.limit = whole(number(ascii::trim(*limit)));
    if (remaining) one.remaining = whole(number(ascii::trim(*remaining)));
    one.window = seconds;
    add(std::move(one));
  }

  const std::vector<Header>& headers_;
  Wall now_;
  std::vector<Advertised> list_;
};

}  // namespace

std::vector<Advertised> advertised(const std::vector<Header>& headers, Wall now) {
  return Reader(headers, now).read();
}

std::optional<double> retry_after(const std::vector<Header>& headers, Wall now) {
  const std::string* text = find_header(headers, "Retry-After");
  if (!text) return std::nullopt;
  const std::string value(ascii::trim(*text));
  if (!value.empty() && std::all_of(value.begin(), value.end(), [](char c) { return c >= '0' && c <= '9'; }))
    return number(value);
  std::tm date{};
  const char* end = strptime(value.c_str(), "%a, %d %b %Y %H:%M:%S GMT", &date);
  if (!end || *end) return std::nullopt;
  const double at = static_cast<double>(timegm(&date));
  return std::max(0.0, at - std::chrono::duration<double>(now.time_since_epoch()).count());
}

}  // namespace holdshort::rate_limit
