// The probe types. A new one is a folder and a line in registry.cpp.
#pragma once

#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "probes/kit/check_row.h"
#include "probes/kit/fields.h"
#include "probes/probe.h"
#include "probes/remedy.h"

namespace holdshort {

// What `explain` and the docs say of a type.
struct Explanation {
  std::string_view control;          // "An endpoint that wants credentials refuses whoever has none."
  std::string_view sends;            // what goes over the wire, a few lines
  std::string_view passes;           // when it passes
  std::string_view fails;            // when it fails
  std::string_view unclear;          // when it is inconclusive, and what to do
  std::string_view example;          // TOML
  std::string_view references;       // "OWASP API2:2023 ..., ASVS 5.0 ..., CWE-306"
  std::span<const Remedy> remedies;  // what to do about a check that did not pass
};

// The common keys that are not the type's own, already read.
struct ProbeSettings {
  std::string name;
  const Values& values;  // the type's own keys and the common ones, all of them
};

struct ProbeType {
  std::string_view name;
  enum class Talks {
    http,       // has the keys of every probe that sends HTTP
    otherwise,  // has connections of its own, for which `via` counts too
    nothing,    // has no connection to the app
  } talks = Talks::http;
  std::span<const Field> fields;  // its own keys
  const Explanation& explanation;
  // Reports what the rows cannot express (keys that exclude each other); null only where it reported an
  // error.
  std::unique_ptr<Probe> (*make)(const ProbeSettings& settings, Diagnostics& diagnostics);
  std::span<const CheckRow> checks;  // that it makes, in the order in which `explain` lists them
  std::span<const Alternatives> alternatives = {};  // among all its keys
};

std::span<const ProbeType> probe_types();                 // in the order in which `explain` lists them
const ProbeType* find_probe_type(std::string_view name);  // null: no such type
std::span<const CheckRow> common_checks();                // of every probe; "*" stands for its type
// For people: "pass or fail", "pass".
std::string_view text_of(CheckRow::Ends ends);
// Null: no type makes a check of that id.
const CheckRow* find_check(std::string_view id);
std::span<const Field> common_fields();  // of every probe
std::span<const Field> http_fields();    // of every probe that sends HTTP

}  // namespace holdshort
