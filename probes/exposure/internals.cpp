#include "probes/exposure/internals.h"

#include <algorithm>
#include <mutex>
#include <optional>
#include <utility>

#include "probes/kit/pattern.h"

namespace holdshort::exposure {

namespace {

// `needle` is a text that every match has: most bodies are passed over without a pattern.
struct Sign {
  std::string_view what;
  std::string_view needle;
  std::string_view pattern;  // RE2; "" where the needle is enough
  Page page = Page::error;
};

// clang-format off
constexpr Sign kSigns[] = {
    // Debuggers and their pages.
    {"Werkzeug's debugger", "Werkzeug Debugger</title>", "", Page::ordinary},
    {"Werkzeug's debugger", "EVALEX = ", R"re(EVALEX = (?:true|false))re", Page::ordinary},
    {"Django's debug page", "DEBUG = True", R"re(You(?:&#x27;|'|’)re seeing this (?:error|page) because you have <code>DEBUG = True|you have <code>DEBUG = True)re", Page::ordinary},
    {"Django's debug page", "Using the URLconf defined in", ""},
    {"Rails' debug page", "<title>Action Controller: Exception caught</title>", "", Page::ordinary},
    {"Rails' debug page", "id=\"better-errors", "", Page::ordinary},
    {"Rails' debug page", "Rails.root:", R"re(Rails\.root: /)re"},
    {"Sinatra's debug page", "<code>show_exceptions</code>", "", Page::ordinary},
    {"Sinatra's debug page", "know this ditty", R"re(Sinatra doesn(?:&rsquo;|’|')t know this ditty)re"},
    {"Rack's debug page", "<h1>", R"re(<h1>[A-Za-z:]*(?:Error|Exception|::[A-Za-z]+) at (?:&#x2F;|/))re"},
    {"PHP's error message", "<b>/", R"re(<b>(?:Fatal error|Warning|Notice|Parse error|Deprecated)</b>:\s+.* in <b>/[^<]+</b> on line <b>\d+</b>)re", Page::ordinary},
    {"PHP's error message", "PHP ", R"re(PHP (?:Fatal error|Parse error|Warning|Notice): .* in /\S+\.php(?::| on line )\d+)re"},
    {"a PHP stack trace", ".php(", R"re((?m)^#\d+ /\S+\.php\(\d+\): \S+\()re"},
    {"Laravel's debug page", "Illuminate\\", R"re(Illuminate\\[A-Za-z\\]+Exception)re"},
    {"a PHP stack trace", "\"trace\"", R"re((?s)"exception"\s*:\s*"[A-Za-z\\]+Exception".*"trace"\s*:\s*\[)re"},
    {"Symfony's debug page", "exception-summary", R"re(class="exception-summary)re", Page::ordinary},
    {"Symfony's debug page", "Symfony\\Component\\", R"re(Symfony\\Component\\[A-Za-z\\]+)re"},
    {"ASP.NET's error page", "rawExceptionBlock", "", Page::ordinary},
    {"ASP.NET's error page", "Server Error in '/", R"re(<title>[^<]*</title>(?s:.*)Server Error in '/[^']*' Application)re"},
    {"Phoenix' debug page", " at GET /", R"re(<title>[A-Z][\w.]+Error at (?:GET|POST) /)re", Page::ordinary},
    // Stack traces.
    {"a Node.js stack trace", ":", R"re((?m)^\s+at (?:async )?[\w.<>\[\] $]*\(?(?:/|file:///|node:|[A-Z]:\\)[^\s)]+:\d+:\d+\)?)re"},
    {"a Node.js stack trace", "&nbsp;at ", R"re(Error[^<]{0,200}<br>\s*&nbsp;\s*&nbsp;at )re"},
    {"a Node.js stack trace", "\\n ", R"re("[A-Za-z]*Error:[^"]*\\n\s+at )re"},
    {"a Python traceback", "Traceback (most recent call last)", ""},
    {"a Python traceback", ".py", R"re(File \\?"[^"\\]+\.py\\?", line \d+, in [\w<])re"},
    {"a Ruby stack trace", ".rb:", R"re([^\s:"]+\.rb:\d+:in [`'])re"},
    {"a Java stack trace", "at ", R"re((?m)(?:^\s*|\\n\\t|\\tat |<br/?>\s*(?:&nbsp;)*\s*)at [a-zA-Z_$][\w$.]*\.[\w$<>]+\((?:\w+\.(?:java|kt|scala):\d+|Native Method|Unknown Source)\))re"},
    {"a Java stack trace", "Caused by: ", R"re(Caused by: [\w$.]+(?:Exception|Error))re"},
    {"a Java stack trace", "\"trace\"", R"re("trace"\s*:\s*"[\w$.]+(?:Exception|Error))re"},
    {"a Java stack trace", "HTTP Status 500", R"re((?s)HTTP Status 500.*<b>(?:Exception|Root Cause)</b>)re"},
    {"a .NET stack trace", "at ", R"re((?m)^\s+at [\w`<>\[\]+]+(?:\.[\w`<>\[\]+]+)+\([^)]*\)(?: in [^:\n]+(?::[^:\n]+)?:line \d+)?\s*$)re"},
    {"a Go stack trace", "goroutine ", R"re(goroutine \d+ \[running\]:)re"},
    {"a Go stack trace", "panic: ", R"re(panic: (?:runtime error|interface conversion))re"},
    {"a Go stack trace", ".go:", R"re(/\S+\.go:\d+ \+0x[0-9a-f]+)re"},
    {"a Rust panic", "panicked at", R"re(thread '[^']+' panicked at)re"},
    {"a Rust panic", "stack backtrace:", ""},
    {"an Elixir stack trace", "** (", R"re(\*\* \([A-Z][\w.]+(?:Error|Exception)?\))re"},
    {"an Elixir stack trace", ".ex:", R"re((?m)^\s+\([a-z_0-9]+ \d[\w.-]*\) lib/\S+\.ex:\d+: )re"},
    {"an Erlang error term", "{", R"re(\{badmatch,|\{case_clause,|error:function_clause)re"},
    {"a Perl error", " line ", R"re( at /\S+\.p[lm] line \d+\.)re"},
    // Databases and stores.
    {"a PostgreSQL error", "", R"re(PG::[A-Z]\w+|psycopg2?\.errors\.|SQLSTATE\[?[0-9A-Z]{5}|syntax error at or near|relation "[^"]+" does not exist|duplicate key value violates)re"},
    {"a MySQL error", "", R"re(You have an error in your SQL syntax|SequelizeDatabaseError|ER_(?:PARSE_ERROR|DUP_ENTRY|NO_SUCH_TABLE)|mysqli?_fetch)re"},
    {"an SQLite error", "", R"re(SQLITE_(?:ERROR|CONSTRAINT|BUSY)|sqlite3\.OperationalError|near \\?"[^"]*": syntax error)re"},
    {"a SQL Server error", "", R"re(Unclosed quotation mark after the character string|Incorrect syntax near ')re"},
    {"a MongoDB error", "", R"re(MongoServerError|E11000 duplicate key|Cast to ObjectId failed)re"},
    {"a Prisma error", "risma", R"re(Invalid `prisma\.\w+\.\w+\(\)` invocation|PrismaClient\w+Error)re"},
    {"a Redis error", "", R"re(WRONGTYPE Operation against|NOAUTH Authentication required|ReplyError: )re"},
    {"an address of the inside", "ECONNREFUSED ", R"re(ECONNREFUSED [\d.:\[\]a-f]+:\d+)re"},
    {"a connection string", "://", R"re(\b[a-z][a-z0-9+.-]*://[^/\s:@"'<>]+:[^/\s:@"'<>]{3,}@)re"},
    // Files.
    {"a path of the server", ", ", R"re((?:ENOENT|EACCES|EISDIR): [^'"]*, \w+ \\?['"]/)re"},
    {"a path of the source", "/", R"re(/(?:app|home/\w+|usr/src/app|srv|workspace|var/www)/(?:[\w.-]+/)*[\w.-]+\.(?:js|mjs|ts|py|rb|php|go|java|ex|rs):\d+)re"},
};

// The same for lists of files: servers put them into markup of their own.
constexpr Sign kListings[] = {
    {"", "<title>", R"re((?i)<title>\s*(?:Index of /|Directory listing for /|listing directory /|Directory: /|Directory Listing For \[?/))re"},
    {"", "[To Parent Directory]", ""},
    {"", "<ListBucketResult", ""},
    {"", "?sort=name", R"re((?s)href="\?sort=name&(?:amp;)?order=.*class="file")re"},
    {"", "<pre>", R"re((?i)\A(?:<!doctype html>\s*<meta name="viewport"[^>]*>\s*)?<pre>\s*(?:<a href="[^"]*">[^<]*</a>\s*)+</pre>\s*\z)re"},
    {"", "\"dirs\"", R"re((?s)\A\s*\{\s*"dirs"\s*:\s*\[.*\]\s*,\s*"files"\s*:\s*\[)re"},
};
// clang-format on

// Compiled when a body has the needle: most never do.
template <std::size_t size>
class Matcher {
 public:
  explicit Matcher(const Sign (&signs)[size]) : signs_(signs) {}

  template <class Counts>
  const Sign* find(std::string_view body, Counts counts) {
    for (std::size_t i = 0; i < size; ++i) {
      const Sign& sign = signs_[i];
      if (!counts(sign) || body.find(sign.needle) == std::string_view::npos) continue;
      if (sign.pattern.empty() || pattern(i).found_in(body)) return &sign;
    }
    return nullptr;
  }

 private:
  const Pattern& pattern(std::size_t i) {
    const std::scoped_lock lock(mutex_);
    if (!patterns_[i]) patterns_[i] = Pattern::compile(signs_[i].pattern).value();
    return *patterns_[i];
  }

  const Sign (&signs_)[size];
  std::mutex mutex_;
  std::optional<Pattern> patterns_[size];
};

}  // namespace

std::string_view remedy_for(std::string_view internals) {
  static constexpr std::pair<std::string_view, std::string_view> kRemedies[] = {
      {"Node.js", "set NODE_ENV=production, or add an error handler"},
      {"Werkzeug", "do not run the app in debug mode"},
      {"Python", "do not run the app in debug mode"},
      {"Django", "set DEBUG = False"},
      {"Rails", "set RAILS_ENV=production"},
      {"Sinatra", "set RACK_ENV=production"},
      {"Rack", "set RACK_ENV=production"},
      {"PHP", "set display_errors = Off"},
      {"Laravel", "set APP_DEBUG=false"},
      {"Symfony", "set APP_ENV=prod"},
      {"Java", "set server.error.include-stacktrace=never, or what your framework calls it"},
      {".NET", "set ASPNETCORE_ENVIRONMENT=Production"},
  };
  for (const auto& [product, remedy] : kRemedies)
    if (internals.find(product) != std::string_view::npos) return remedy;
  return {};
}

std::string_view internals_in(const Response& response, Page page) {
  static Matcher matcher(kSigns);
  const Sign* sign = matcher.find(
      response.body, [&](const Sign& s) { return page == Page::error || s.page == Page::ordinary; });
  if (sign) return sign->what;
  for (const char* name : {"X-Debug-Token", "X-Debug-Token-Link", "X-Debug-Exception", "X-ChromeLogger-Data"})
    if (response.header(name)) return "a debugger's header";
  return "";
}

bool is_listing(const Response& response) {
  static Matcher matcher(kListings);
  if (response.status < 200 || response.status > 299) return false;
  return matcher.find(response.body, [](const Sign&) { return true; }) != nullptr;
}

}  // namespace holdshort::exposure
