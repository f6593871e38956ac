#include "fly/fly_toml.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>

namespace holdshort::fly {

namespace {

using Shape = KnownKey::Shape;

constexpr KnownKey kTcpCheckKeys[] = {{"interval"}, {"timeout"}, {"grace_period"}};
constexpr KnownTable kTcpCheck{kTcpCheckKeys};

constexpr KnownKey kHttpCheckKeys[] = {
    {"interval"},        {"timeout"},         {"grace_period"},         {"method"}, {"path"}, {"protocol"},
    {"tls_skip_verify"}, {"tls_server_name"}, {"headers", Shape::free},
};
constexpr KnownTable kHttpCheck{kHttpCheckKeys};

constexpr KnownKey kTopLevelCheckKeys[] = {
    {"name"},      {"port"}, {"type"},     {"interval"},        {"timeout"},         {"grace_period"},
    {"method"},    {"path"}, {"protocol"}, {"tls_skip_verify"}, {"tls_server_name"}, {"headers", Shape::free},
    {"processes"},
};
constexpr KnownTable kTopLevelCheck{kTopLevelCheckKeys};

constexpr KnownKey kMachineCheckKeys[] = {
    {"command"}, {"image"}, {"entrypoint"}, {"kill_signal"}, {"kill_timeout"}};
constexpr KnownTable kMachineCheck{kMachineCheckKeys};

constexpr KnownKey kConcurrencyKeys[] = {{"type"}, {"hard_limit"}, {"soft_limit"}};
constexpr KnownTable kConcurrency{kConcurrencyKeys};

constexpr KnownKey kPortKeys[] = {
    {"port"},
    {"start_port"},
    {"end_port"},
    {"handlers"},
    {"force_https"},
    {"tls_options", Shape::free},
    {"http_options", Shape::free},
    {"proxy_proto_options", Shape::free},
};
constexpr KnownTable kPort{kPortKeys};

constexpr KnownKey kHttpServiceKeys[] = {
    {"internal_port"},
    {"force_https"},
    {"auto_stop_machines"},
    {"auto_start_machines"},
    {"min_machines_running"},
    {"processes"},
    {"concurrency", Shape::table, &kConcurrency},
    {"tls_options", Shape::free},
    {"http_options", Shape::free},
    {"checks", Shape::list_only, &kHttpCheck},
    {"machine_checks", Shape::list_only, &kMachineCheck},
};
constexpr KnownTable kHttpService{kHttpServiceKeys};

constexpr KnownKey kServiceKeys[] = {
    {"protocol"},
    {"internal_port"},
    {"auto_stop_machines"},
    {"auto_start_machines"},
    {"min_machines_running"},
    {"processes"},
    {"concurrency", Shape::table, &kConcurrency},
    {"ports", Shape::tables, &kPort},
    {"tcp_checks", Shape::tables, &kTcpCheck},
    {"http_checks", Shape::tables, &kHttpCheck},
    {"machine_checks", Shape::list_only, &kMachineCheck},
};
constexpr KnownTable kService{kServiceKeys};

constexpr KnownKey kExperimentalKeys[] = {
    {"cmd"},
    {"entrypoint"},
    {"exec"},
    {"auto_rollback"},
    {"enable_consul"},
    {"enable_etcd"},
    {"lazy_load_images"},
    {"attached", Shape::free},
    {"machine_config"},
    {"use_zstd"},
    // Moved to their places by flyctl.
    {"kill_timeout"},
    {"metrics_port"},
    {"metrics_path"},
};
constexpr KnownTable kExperimental{kExperimentalKeys};

constexpr KnownKey kBuildKeys[] = {
    {"builder"},
    {"buildpacks"},
    {"image"},
    {"dockerfile"},
    {"ignorefile"},
    {"build-target"},
    {"build_target"},
    {"args", Shape::free},
    {"settings", Shape::free},
    {"builtin"},
    {"compression"},
    {"compression_level"},
    {"compose", Shape::free},
};
constexpr KnownTable kBuild{kBuildKeys};

constexpr KnownKey kVmKeys[] = {
    {"size"},     {"memory"},      {"cpus"},           {"cpu_kind"},           {"memory_mb"}, {"gpus"},
    {"gpu_kind"}, {"kernel_args"}, {"persist_rootfs"}, {"host_dedication_id"}, {"processes"},
};
constexpr KnownTable kVm{kVmKeys};

constexpr KnownKey kDeployKeys[] = {
    {"strategy"},        {"max_unavailable"},         {"wait_timeout"},
    {"release_command"}, {"release_command_timeout"}, {"release_command_vm", Shape::table, &kVm},
    {"seed_command"},
};
constexpr KnownTable kDeploy{kDeployKeys};

constexpr KnownKey kMountKeys[] = {
    {"source"},
    {"destination"},
    {"initial_size"},
    {"snapshot_retention"},
    {"scheduled_snapshots"},
    {"auto_extend_size_threshold"},
    {"auto_extend_size_increment"},
    {"auto_extend_size_limit"},
    {"processes"},
};
constexpr KnownTable kMount{kMountKeys};

constexpr KnownKey kFileKeys[] = {
    {"guest_path"}, {"local_path"}, {"secret_name"}, {"raw_value"}, {"processes"}};
constexpr KnownTable kFile{kFileKeys};

constexpr KnownKey kRestartKeys[] = {{"policy"}, {"retries"}, {"max_retries"}, {"processes"}};
constexpr KnownTable kRestart{kRestartKeys};

constexpr KnownKey kStaticKeys[] = {{"guest_path"}, {"url_prefix"}, {"tigris_bucket"}, {"index_document"}};
constexpr KnownTable kStatic{kStaticKeys};

constexpr KnownKey kMetricsKeys[] = {{"port"}, {"path"}, {"https"}, {"processes"}};
constexpr KnownTable kMetrics{kMetricsKeys};

constexpr KnownKey kTopLevelKeys[] = {
    {"app"},
    {"primary_region"},
    {"kill_signal"},
    {"kill_timeout"},
    {"swap_size_mb"},
    {"console_command"},
    {"host_dedication_id"},
    {"machine_config"},
    {"container"},
    {"experimental", Shape::table, &kExperimental},
    {"build", Shape::table, &kBuild},
    {"deploy", Shape::table, &kDeploy},
    {"env", Shape::free},
    {"processes", Shape::free},
    {"mounts", Shape::tables, &kMount},
    {"mount", Shape::tables, &kMount},
    {"http_service", Shape::table, &kHttpService},
    {"services", Shape::tables, &kService},
    {"checks", Shape::named, &kTopLevelCheck},
    {"machine_checks", Shape::list_only, &kMachineCheck},
    {"files", Shape::list_only, &kFile},
    {"restart", Shape::tables, &kRestart},
    {"vm", Shape::tables, &kVm},
    {"compute", Shape::tables, &kVm},
    {"computes", Shape::tables, &kVm},
    {"statics", Shape::tables, &kStatic},
    {"metrics", Shape::tables, &kMetrics},
    {"metric", Shape::tables, &kMetrics},
};
constexpr KnownTable kTopLevel{kTopLevelKeys};

struct Unit {
  std::string_view name;
  double nanoseconds;
};
// Longer names before those that they begin with.
constexpr std::array kUnits = {Unit{"ns", 1},   Unit{"us", 1e3}, Unit{"\u00b5s", 1e3}, Unit{"\u03bcs", 1e3},
                               Unit{"ms", 1e6}, Unit{"s", 1e9},  Unit{"m", 60e9},      Unit{"h", 3600e9}};

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// "1.5" off the front of `text`; nullopt where no digit is there.
std::optional<double> take_number(std::string_view& text) {
  double number = 0, place = 1;
  bool has_digit = false, is_fraction = false;
  for (; !text.empty() && (is_digit(text.front()) || (text.front() == '.' && !is_fraction));
       text.remove_prefix(1)) {
    if (text.front() == '.') {
      is_fraction = true;
      continue;
    }
    has_digit = true;
    number = number * 10 + (text.front() - '0');
    if (is_fraction) place *= 10;
  }
  if (!has_digit) return std::nullopt;
  return number / place;
}

}  // namespace

const KnownTable& top_level() { return kTopLevel; }

const KnownKey* find(const KnownTable& table, std::string_view name) {
  const auto found = std::find_if(table.keys.begin(), table.keys.end(),
                                  [&](const KnownKey& key) { return key.name == name; });
  return found == table.keys.end() ? nullptr : &*found;
}

std::optional<std::chrono::nanoseconds> parse_go_duration(std::string_view text) {
  const bool is_negative = text.starts_with('-');
  if (is_negative || text.starts_with('+')) text.remove_prefix(1);
  if (text == "0") return std::chrono::nanoseconds(0);
  if (text.empty()) return std::nullopt;
  double total = 0;
  while (!text.empty()) {
    const std::optional<double> number = take_number(text);
    const auto unit = std::find_if(kUnits.begin(), kUnits.end(), [&](const Unit& u) {
      return text.starts_with(u.name) && !(u.name == "m" && text.starts_with("ms"));
    });
    if (!number || unit == kUnits.end()) return std::nullopt;
    total += *number * unit->nanoseconds;
    text.remove_prefix(unit->name.size());
  }
  constexpr double kMost = 9.2e18;  // of an int64
  if (total > kMost) return std::nullopt;
  const auto count = static_cast<std::int64_t>(std::llround(total));
  return std::chrono::nanoseconds(is_negative ? -count : count);
}

}  // namespace holdshort::fly
