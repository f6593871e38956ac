#include "probes/exposure/catalogue.h"

#include <algorithm>

#include "probes/kit/ascii.h"
#include "probes/kit/json.h"
#include "probes/kit/pattern.h"

namespace holdshort::exposure {

namespace {

using namespace std::string_view_literals;

constexpr auto kNotHtml = Row::Type::not_html, kHtml = Row::Type::html, kJson = Row::Type::json,
               kPlain = Row::Type::plain, kAny = Row::Type::any;
constexpr auto kPattern = Row::Told::by_pattern, kBegins = Row::Told::by_beginning,
               kAssigns = Row::Told::by_assignments;
constexpr auto kCritical = Severity::critical, kHigh = Severity::high, kMedium = Severity::medium,
               kLow = Severity::low, kInfo = Severity::info;
constexpr auto kHere = Row::Reach::here, kEverywhere = Row::Reach::everywhere;
constexpr auto kBeginning = Row::Part::beginning;

constexpr std::size_t kAssignments = 2;  // lines NAME=value that make an environment file

// Alike for whole families.
constexpr std::string_view kEnv = "exposure.environment_file", kGit = "exposure.repository",
                           kKey = "exposure.key_file", kConfig = "exposure.configuration",
                           kDump = "exposure.dump", kDebug = "exposure.debug_tool",
                           kStatus = "exposure.server_status", kActuator = "exposure.actuator",
                           kMetrics = "exposure.metrics", kLogFile = "exposure.log_file",
                           kManifest = "exposure.manifest", kApiDocs = "exposure.api_docs",
                           kAdmin = "exposure.admin_tool", kTraversal = "exposure.traversal";
constexpr std::string_view kEnvFile = "an environment file", kSqlite = "SQLite format 3\0"sv;
constexpr std::string_view kOpenApi = R"re("openapi"\s*:\s*"3\.)re";
constexpr std::string_view kManifestText = "what the app is built from";

// clang-format off
constexpr Row kRows[] = {
    {kEnv, "/.env", kNotHtml, kAssigns, {}, kEnvFile, kCritical, kEverywhere},
    {kGit, "/.git/HEAD", kNotHtml, kPattern, R"re(\A(?:ref: refs/(?:heads|remotes)/\S+|[0-9a-f]{40}(?:[0-9a-f]{24})?)\s*\z)re", "a git repository", kCritical, kEverywhere},
    {kGit, "/.git/config", kNotHtml, kPattern, R"re((?s)\A\s*\[core\].*repositoryformatversion)re", "a git repository", kCritical, kEverywhere},
    {kGit, "/.git/index", kAny, kBegins, "DIRC\0\0\0"sv, "a git repository", kCritical, kEverywhere},
    {kGit, "/.git/logs/HEAD", kNotHtml, kPattern, R"re(\A[0-9a-f]{40} [0-9a-f]{40} .+ <[^>]*> \d{10} [+-]\d{4}\t)re", "a git repository", kCritical, kEverywhere},
    {kEnv, "/.env.local", kNotHtml, kAssigns, {}, kEnvFile, kCritical},
    {kEnv, "/.env.production", kNotHtml, kAssigns, {}, kEnvFile, kCritical},
    {kEnv, "/.env.bak", kNotHtml, kAssigns, {}, kEnvFile, kCritical},
    {kTraversal, "/static../.env", kNotHtml, kAssigns, {}, "a file beside the folder that is served (an alias without its slash)", kCritical},
    {kTraversal, "/_next/static/../../.env", kNotHtml, kAssigns, {}, "a file above the folder that is served", kCritical},
    {kKey, "/.npmrc", kNotHtml, kPattern, R"re((?m)_authToken\s*=|^registry\s*=|//[^/\s]+/:_)re", "npm's credentials", kCritical},
    {kKey, "/.netrc", kNotHtml, kPattern, R"re((?m)^machine\s+\S+)re", "login data", kCritical},
    {kKey, "/.pgpass", kNotHtml, kPattern, R"re((?m)^[^:#\s]+:(?:\d+|\*):[^:\s]*:[^:\s]+:\S+$)re", "database passwords", kCritical},
    {kKey, "/.htpasswd", kNotHtml, kPattern, R"re((?m)^[^:\s]+:(?:\$apr1\$|\$2[aby]\$|\{SHA\}|\$[56]\$|[./0-9A-Za-z]{13}$))re", "password hashes", kCritical, kEverywhere},
    {kKey, "/.aws/credentials", kNotHtml, kPattern, R"re((?s)\[[^\]]+\].*aws_(?:access_key_id|secret_access_key)\s*=)re", "AWS credentials", kCritical, kEverywhere},
    {kKey, "/.ssh/id_rsa", kNotHtml, kPattern, R"re(-----BEGIN (?:[A-Z0-9]+ )?PRIVATE KEY-----)re", "a private key", kCritical, kEverywhere},
    {kKey, "/.docker/config.json", kAny, kPattern, R"re("auths"\s*:\s*\{)re", "registry credentials", kCritical},
    {kKey, "/.kube/config", kNotHtml, kPattern, R"re((?ms)^apiVersion:\s*v1.*(?:client-key-data:|client-certificate-data:|^\s+token:))re", "cluster credentials", kCritical, kEverywhere},
    {kConfig, "/wp-config.php.bak", kNotHtml, kPattern, R"re(define\(\s*['"]DB_PASSWORD['"])re", "WordPress' configuration", kCritical, kEverywhere},
    {kConfig, "/config/database.yml", kNotHtml, kPattern, R"re((?ms)^(?:production|default):.*^\s+(?:password|adapter):)re", "database settings", kCritical, kEverywhere},
    {kConfig, "/config/master.key", kNotHtml, kPattern, R"re(\A[0-9a-f]{32}\s*\z)re", "Rails' master key", kCritical},
    {kConfig, "/config/secrets.yml", kNotHtml, kPattern, R"re(secret_key_base:\s*[^\s<]{20,})re", "Rails' secret key base", kCritical, kEverywhere},
    {kDump, "/backup.sql", kNotHtml, kPattern, R"re((?m)^(?:-- (?:MySQL|PostgreSQL|MariaDB) (?:database )?dump|CREATE TABLE |INSERT INTO ))re", "a database dump", kCritical, kEverywhere, kBeginning},
    {kDump, "/db.sqlite3", kAny, kBegins, kSqlite, "a database", kCritical, kEverywhere, kBeginning},
    {kActuator, "/actuator/env", kJson, kPattern, R"re((?s)"activeProfiles".*"propertySources")re", "the environment of a Spring app", kCritical, kEverywhere},
    {kActuator, "/actuator/heapdump", kAny, kBegins, "JAVA PROFILE 1.0."sv, "the memory of a Java process", kCritical, kEverywhere, kBeginning},
    {kDebug, "/console", kHtml, kPattern, R"re(Console // Werkzeug Debugger|EVALEX\s*=\s*true)re", "Werkzeug's debugger, which runs code", kCritical, kEverywhere},
    {kDebug, "/?__debugger__=yes&cmd=resource&f=debugger.js", kNotHtml, kPattern, R"re(EVALEX_TRUSTED|CONSOLE_MODE)re", "a file of Werkzeug's debugger, which runs code", kCritical},
    {kDebug, "/h2-console/", kHtml, kPattern, R"re(<title>H2 Console</title>)re", "the H2 database's console", kCritical, kEverywhere},
    {kDebug, "/_ignition/health-check", kJson, kPattern, R"re("can_execute_commands"\s*:)re", "Laravel's Ignition", kCritical},
    {kStatus, "/_cat/indices", kPlain, kPattern, R"re((?m)^(?:green|yellow|red)\s+open\s)re", "an Elasticsearch", kCritical},
    {kAdmin, "/solr/", kHtml, kPattern, R"re((?i)<title>\s*Solr Admin)re", "Solr's administration", kCritical, kEverywhere},

    {kEnv, "/.env.development", kNotHtml, kAssigns, {}, kEnvFile, kHigh},
    {kConfig, "/config.js", kNotHtml, kPattern, R"re((?i)(?:secret|private[_-]?key|password)["']?\s*[:=]\s*["'][^"'\s]{8,})re", "a configuration with secrets", kHigh},
    {kConfig, "/config.json", kJson, kPattern, R"re((?i)"(?:\w*secret|\w*password|private_?key|db_?pass\w*)"\s*:\s*"[^"]{6,}")re", "a configuration with secrets", kHigh},
    {kGit, "/.svn/entries", kNotHtml, kPattern, R"re(\A(?:8|9|10|12)\s*\n)re", "a Subversion working copy", kHigh},
    {kGit, "/.svn/wc.db", kAny, kBegins, kSqlite, "a Subversion working copy", kHigh, kHere, kBeginning},
    {kGit, "/.hg/requires", kNotHtml, kPattern, R"re((?m)^(?:revlogv1|store|fncache|dotencode|generaldelta|share-safe)$)re", "a Mercurial repository", kHigh},
    {kConfig, "/docker-compose.yml", kNotHtml, kPattern, R"re((?m)^services:\s*$)re", "a compose file", kHigh},
    {kConfig, "/appsettings.json", kJson, kPattern, R"re("(?:ConnectionStrings|Logging)"\s*:\s*\{)re", "settings of a .NET app", kHigh},
    {kConfig, "/web.config", kNotHtml, kPattern, R"re((?s)<configuration>.*<system\.web)re", "settings of an IIS site", kHigh},
    {kConfig, "/WEB-INF/web.xml", kAny, kPattern, R"re(<web-app[\s>])re", "a Java app's descriptor", kHigh},
    {kConfig, "/application.properties", kNotHtml, kPattern, R"re((?m)^(?:spring|server|management)\.[a-z.-]+\s*=)re", "settings of a Spring app", kHigh},
    {kLogFile, "/storage/logs/laravel.log", kNotHtml, kPattern, R"re(\[\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\] \w+\.(?:ERROR|INFO|DEBUG|WARNING):)re", "Laravel's log", kHigh, kEverywhere},
    {kLogFile, "/log/production.log", kNotHtml, kPattern, R"re(Started (?:GET|POST) "[^"]*" for \S+ at)re", "Rails' log", kHigh, kEverywhere},
    {kDump, "/backup.zip", kAny, kBegins, "PK\x03\x04"sv, "an archive", kHigh, kHere, kBeginning},
    {kStatus, "/haproxy?stats", kHtml, kPattern, R"re(<title>Statistics Report for HAProxy)re", "HAProxy's statistics", kHigh, kEverywhere},
    {kDebug, "/phpinfo.php", kHtml, kPattern, R"re(<title>(?:PHP [\d.]+\S* - )?phpinfo\(\)</title>)re", "phpinfo()", kHigh, kEverywhere},
    {kAdmin, "/adminer.php", kHtml, kPattern, R"re((?i)<title>[^<]*adminer|adminer\.org)re", "Adminer", kHigh, kEverywhere},
    {kAdmin, "/phpmyadmin/", kHtml, kPattern, R"re((?i)<title>[^<]*phpMyAdmin|name="pma_username")re", "phpMyAdmin", kHigh, kEverywhere},
    {kActuator, "/actuator/configprops", kJson, kPattern, R"re((?s)"(?:contexts|beans)".*"prefix")re", "the settings of a Spring app", kHigh},
    {kActuator, "/actuator/httpexchanges", kJson, kPattern, R"re("(?:exchanges|traces)"\s*:\s*\[)re", "the requests of a Spring app's users", kHigh},
    {kActuator, "/actuator/gateway/routes", kJson, kPattern, R"re("route_id")re", "the routes of a gateway", kHigh},
    {kActuator, "/jolokia/version", kJson, kPattern, R"re((?s)"agent"\s*:\s*"[\d.]+".*"protocol")re", "Jolokia", kHigh},
    {kDebug, "/debug/pprof/", kHtml, kPattern, R"re(Types of profiles available)re", "Go's profiler", kHigh, kEverywhere},
    {kDebug, "/debug/vars", kJson, kPattern, R"re((?s)"cmdline"\s*:\s*\[.*"memstats")re", "Go's expvar with the command line", kHigh, kEverywhere},
    {kDebug, "/debug/default/view", kHtml, kPattern, R"re((?i)<title>[^<]*Yii Debugger)re", "Yii's debugger", kHigh, kEverywhere},
    {kDebug, "/_profiler/", kHtml, kPattern, R"re((?i)<title>[^<]*Symfony Profiler|class="sf-toolbar)re", "Symfony's profiler", kHigh, kEverywhere},
    {kDebug, "/telescope/requests", kHtml, kPattern, R"re((?i)<title>[^<]*Telescope)re", "Laravel's Telescope", kHigh},
    {kDebug, "/_debugbar/open", kJson, kPattern, R"re(\A\s*\[\s*\{[^{}]*"(?:utime|datetime)"\s*:)re", "Laravel's debug bar", kHigh},
    {kDebug, "/rails/info/properties", kHtml, kPattern, R"re(Rails version</td>|<h1>\s*(?:Ruby on )?Rails)re", "Rails' properties", kHigh},
    {kDebug, "/rails/conductor/action_mailbox/inbound_emails", kHtml, kPattern, R"re(Deliver new inbound email)re", "Rails' mailbox conductor", kHigh},
    {kAdmin, "/sidekiq", kHtml, kPattern, R"re((?i)<title>[^<]*Sidekiq)re", "Sidekiq", kHigh, kEverywhere},
    {kAdmin, "/flipper/", kHtml, kPattern, R"re((?i)<title>[^<]*Flipper)re", "Flipper", kHigh},
    {kAdmin, "/silk/", kHtml, kPattern, R"re((?i)django-silk|<title>\s*Silk)re", "django-silk", kHigh},
    {kAdmin, "/flower/", kHtml, kPattern, R"re(<title>\s*Flower\s*</title>)re", "Flower", kHigh},
    {kDebug, "/cgi-bin/printenv", kPlain, kPattern, R"re((?m)^SERVER_SOFTWARE=)re", "the environment of a CGI script", kHigh, kEverywhere},
    {kDebug, "/trace.axd", kHtml, kPattern, R"re((?i)<(?:title|h1|b)>[^<]*Application Trace)re", "ASP.NET's trace", kHigh},
    {kDebug, "/elmah.axd", kHtml, kPattern, R"re((?i)<(?:title|h1)[^>]*>[^<]*Error Log for)re", "ELMAH", kHigh},
    {kAdmin, "/hangfire", kHtml, kPattern, R"re((?i)<title>[^<]*Hangfire)re", "Hangfire", kHigh},
    {kStatus, "/v1/agent/self", kJson, kPattern, R"re((?s)"Config".*"Datacenter")re", "a Consul agent", kHigh},

    {kConfig, "/env.js", kNotHtml, kPattern, R"re((?:window\.|globalThis\.)?(?:_env_|__ENV__|\benv)\s*=\s*\{)re", "the environment that scripts get", kMedium},
    {kManifest, "/.DS_Store", kAny, kBegins, "\0\0\0\1Bud1"sv, "the names of a folder's files", kMedium, kEverywhere},
    {kConfig, "/.htaccess", kNotHtml, kPattern, R"re((?m)^\s*(?:RewriteEngine|RewriteRule|AuthType|Require|<IfModule))re", "Apache's rules", kMedium},
    {kManifest, "/Dockerfile", kNotHtml, kPattern, R"re((?ims)^FROM\s+\S+.*^(?:RUN|CMD|COPY|ENTRYPOINT)\s)re", "how the image is built", kMedium},
    {kConfig, "/fly.toml", kNotHtml, kPattern, R"re((?m)^app\s*=\s*["'][a-z0-9-]+["']|^\[http_service\]|^primary_region\s*=)re", "how the app is deployed", kMedium},
    {kConfig, "/litefs.yml", kNotHtml, kPattern, R"re((?m)^(?:fuse|data|proxy|lease):)re", "LiteFS' configuration", kMedium},
    {kLogFile, "/debug.log", kNotHtml, kPattern, R"re((?m)^\[?\d{4}-\d\d-\d\d.*(?:ERROR|DEBUG|Exception))re", "a log", kMedium},
    {kStatus, "/server-status", kHtml, kPattern, R"re(<h1>Apache Server Status for|<title>(?:Apache )?Status</title>)re", "the web server's status page", kMedium, kEverywhere},
    {kStatus, "/server-info", kHtml, kPattern, R"re(<h1[^>]*>\s*Apache Server Information)re", "Apache's configuration", kMedium, kEverywhere},
    {kStatus, "/status?full", kPlain, kPattern, R"re(\Apool:\s+\S+\s*\nprocess manager:)re", "PHP-FPM's status", kMedium, kEverywhere},
    {kMetrics, "/metrics", kPlain, kPattern, R"re((?m)^# (?:HELP|TYPE) [a-zA-Z_:][a-zA-Z0-9_:]* )re", "metrics", kMedium, kEverywhere},
    {kActuator, "/actuator", kJson, kPattern, R"re((?s)"_links"\s*:\s*\{.*"self")re", "the list of a Spring app's endpoints", kMedium},
    {kActuator, "/actuator/mappings", kJson, kPattern, R"re("dispatcherServlets?"|"requestMappingConditions")re", "the routes of a Spring app", kMedium},
    {kActuator, "/actuator/loggers", kJson, kPattern, R"re((?s)"levels"\s*:\s*\[.*"loggers")re", "the loggers of a Spring app", kMedium},
    {kActuator, "/actuator/threaddump", kJson, kPattern, R"re("threads"\s*:\s*\[)re", "the threads of a Java process", kMedium},
    {kDebug, "/debug/requests", kHtml, kPattern, R"re(id="tr-status")re", "the requests of a Go app's users", kMedium, kEverywhere},
    {kDebug, "/horizon/api/stats", kJson, kPattern, R"re("(?:jobsPerMinute|failedJobs)")re", "Laravel's Horizon", kMedium},
    {kDebug, "/__debug__/", kHtml, kPattern, R"re((?i)id="djDebug|<title>[^<]*Django Debug Toolbar)re", "Django's debug toolbar", kMedium},

    {kManifest, "/.gitignore", kNotHtml, kPattern, R"re((?m)^(?:/?node_modules/?|\*\.log|\.env|__pycache__/?|/?vendor/?|/?dist/?)\s*$)re", "a file of the repository", kLow},
    {kManifest, "/package.json", kJson, kPattern, R"re("(?:dependencies|devDependencies|scripts)"\s*:\s*\{)re", kManifestText, kLow},
    {kManifest, "/package-lock.json", kJson, kPattern, R"re("lockfileVersion"\s*:\s*\d)re", kManifestText, kLow},
    {kManifest, "/composer.json", kJson, kPattern, R"re("require"\s*:\s*\{)re", kManifestText, kLow},
    {kManifest, "/composer.lock", kAny, kPattern, R"re("content-hash"\s*:\s*"[0-9a-f]{32}")re", kManifestText, kLow},
    {kManifest, "/Gemfile.lock", kNotHtml, kPattern, R"re((?m)^GEM\s*\n\s+remote:)re", kManifestText, kLow},
    {kManifest, "/requirements.txt", kNotHtml, kPattern, R"re((?m)^[A-Za-z0-9_.\[\]-]+(?:==|>=|~=)\d)re", kManifestText, kLow},
    {kManifest, "/go.mod", kNotHtml, kPattern, R"re((?s)\Amodule\s+\S+.*\ngo \d+\.\d+)re", kManifestText, kLow},
    {kStatus, "/nginx_status", kAny, kPattern, R"re(\AActive connections: \d+\s*\nserver accepts handled requests)re", "nginx' status", kLow, kEverywhere},
    {kApiDocs, "/swagger.json", kJson, kPattern, R"re("(?:swagger|openapi)"\s*:\s*"[23]\.)re", "a description of the whole API", kLow},
    {kApiDocs, "/openapi.json", kJson, kPattern, kOpenApi, "a description of the whole API", kLow},
    {kApiDocs, "/v3/api-docs", kJson, kPattern, kOpenApi, "a description of the whole API", kLow},
    {kApiDocs, "/swagger-ui/", kHtml, kPattern, R"re((?i)swagger-ui(?:-bundle)?\.js|id="swagger-ui")re", "Swagger UI", kLow},
    {kApiDocs, "/docs", kHtml, kPattern, R"re((?i)swagger-ui-dist|<title>[^<]*Swagger UI)re", "Swagger UI", kLow},
    {kApiDocs, "/redoc", kHtml, kPattern, R"re((?i)redoc\.standalone\.js|<redoc)re", "ReDoc", kLow},
    {kApiDocs, "/graphiql", kHtml, kPattern, R"re((?i)<title>[^<]*GraphiQL|id="graphiql"|/graphiql(?:\.min)?\.(?:js|css))re", "GraphiQL", kLow},
    {kManifest, "/index.html.map", kAny, kPattern, R"re("mappings"\s*:\s*")re", "the source of the pages' scripts", kLow},

    {kEnv, "/.env.example", kNotHtml, kAssigns, {}, "an example of an environment file", kInfo},
};
// clang-format on

bool is_assignment(std::string_view line) {
  line = ascii::trim(line);
  if (line.starts_with("export ")) line = ascii::trim(line.substr(7));
  const std::size_t equals = line.find('=');
  if (equals == std::string_view::npos) return false;
  const std::string_view name = ascii::trim(line.substr(0, equals));
  const bool is_name = name.size() >= 3 && ascii::is_variable_name(name) &&
                       std::none_of(name.begin(), name.end(), [](char c) { return c >= 'a' && c <= 'z'; });
  return is_name && !ascii::trim(line.substr(equals + 1), ascii::kSpace).empty();
}

bool has_assignments(std::string_view body) {
  if (body.find('<') != std::string_view::npos) return false;
  std::size_t count = 0;
  while (!body.empty() && count < kAssignments) {
    const std::size_t end = std::min(body.find('\n'), body.size());
    count += is_assignment(body.substr(0, end));
    body.remove_prefix(std::min(end + 1, body.size()));
  }
  return count >= kAssignments;
}

std::string essence(const Response& response) {
  const std::string* type = response.header("Content-Type");
  return type ? ascii::lowered(ascii::trim(std::string_view(*type).substr(0, type->find(';')))) : "";
}

bool has_type(Row::Type wanted, const Response& response) {
  const std::string type = essence(response);
  switch (wanted) {
    case Row::Type::any:
      return true;
    case Row::Type::not_html:
      return !response.is_page();
    case Row::Type::html:
      return response.is_page();
    case Row::Type::json:
      return type.ends_with("json") || (!response.is_page() && json::is_json(response.body));
    case Row::Type::plain:
      return type.empty() || type == "text/plain" || type == "application/openmetrics-text" ||
             type == "application/octet-stream";
  }
  return false;
}

// The page's own words: what it repeats of the target is taken out.
std::string without(std::string_view target, std::string body) {
  const std::string_view path = target.substr(0, target.find('?'));
  if (path.size() < 2) return body;
  for (std::size_t at = body.find(path); at != std::string::npos; at = body.find(path, at))
    body.erase(at, path.size());
  return body;
}

}  // namespace

std::span<const Row> catalogue() { return kRows; }

bool shows(const Row& row, const Response& response, std::string_view target) {
  if ((response.status != 200 && response.status != 206) || !has_type(row.type, response)) return false;
  switch (row.told) {
    case Row::Told::by_beginning:
      return response.body.starts_with(row.signature);
    case Row::Told::by_assignments:
      return has_assignments(response.body);
    case Row::Told::by_pattern:
      // Seldom reached: compiled for the one answer, not kept.
      return Pattern::compile(row.signature)->found_in(without(target, response.body));
  }
  return false;
}

}  // namespace holdshort::exposure
