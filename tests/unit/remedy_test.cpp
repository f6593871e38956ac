// What somebody woken is told to do, for every type and whatever was seen.
#include "probes/remedy.h"

#include <gtest/gtest.h>

#include "probes/registry.h"

namespace holdshort {
namespace {

constexpr std::size_t kLongest = 200;  // characters: it stands in a log line beside the reason

Check check(std::string id, Outcome outcome, std::string observed = {}) {
  return {.id = std::move(id),
          .outcome = outcome,
          .request = {},
          .expected = {},
          .observed = std::move(observed),
          .references = {},
          .summary = {}};
}

void expect_one_short_line(std::string_view advice) {
  EXPECT_FALSE(advice.empty());
  EXPECT_LE(advice.size(), kLongest) << advice;
  EXPECT_EQ(advice.find('\n'), std::string_view::npos) << advice;
  EXPECT_FALSE(advice.ends_with('.')) << advice;
}

TEST(Remedy, EveryTypeSaysWhatToDoAboutAnyOfItsChecks) {
  for (const ProbeType& type : probe_types()) {
    const std::string id = std::string(type.name) + ".something_new";
    EXPECT_NE(remedy_for(type.name, check(id, Outcome::fail)), "") << type.name;
    EXPECT_NE(remedy_for(type.name, check(id, Outcome::inconclusive)), "") << type.name;
    EXPECT_EQ(remedy_for(type.name, check(id, Outcome::pass)), "") << type.name;
    EXPECT_EQ(remedy_for(type.name, check(id, Outcome::skipped)), "") << type.name;
  }
}

TEST(Remedy, ARowIsAboutChecksOfItsOwnTypeAndIsOneShortLine) {
  for (const ProbeType& type : probe_types()) {
    for (const Remedy& row : type.explanation.remedies) {
      EXPECT_TRUE(row.check.empty() || row.check.starts_with(std::string(type.name) + ".")) << row.check;
      expect_one_short_line(row.broken);
      if (!row.unseen.empty()) expect_one_short_line(row.unseen);
    }
  }
  for (const UnseenRemedy& row : unseen_remedies()) expect_one_short_line(row.advice);
}

TEST(Remedy, TheRowThatNamesMostOfTheIdCounts) {
  const auto broken = remedy_for("authentication", check("authentication.broken.signature", Outcome::fail));
  const auto in_query = remedy_for("authentication", check("authentication.broken.in_query", Outcome::fail));
  EXPECT_NE(broken, in_query);
  EXPECT_TRUE(in_query.find("query") != std::string_view::npos) << in_query;
  EXPECT_EQ(remedy_for("authentication", check("authentication.path.case", Outcome::fail)),
            "roll back, or let the guard read the path as the router does");
}

TEST(Remedy, WhatCouldNotBeSeenIsMendedByWhatWasSeenInstead) {
  const auto unseen = [](std::string observed) {
    return remedy_for("authentication", check("authentication.accepted", Outcome::inconclusive, observed));
  };
  const std::string_view rest = unseen("");
  for (const auto& [observed, word] :
       {std::pair{"no answer: connection refused", "is it up"}, std::pair{"503", "broken"},
        std::pair{"500, cut short", "broken"}, std::pair{"404", "renamed"}, std::pair{"410", "renamed"},
        std::pair{"401", "credentials"}, std::pair{"403", "credentials"}, std::pair{"429", "limit"},
        std::pair{"200, saying no", "marker"}}) {
    EXPECT_NE(unseen(observed).find(word), std::string_view::npos) << observed << ": " << unseen(observed);
    EXPECT_NE(unseen(observed), rest) << observed;
  }
  for (const char* odd : {"5", "5000 let through", "302", "a 404", "no certificate"})
    EXPECT_EQ(unseen(odd), rest) << odd;
}

TEST(Remedy, AResponseThatGaveNoAnswerIsToldAsSuch) {
  Response nothing;
  nothing.error = "connection refused";
  const Check unseen = check("http.status", Outcome::inconclusive, nothing.text());
  EXPECT_NE(remedy_for("http", unseen).find("is it up"), std::string_view::npos) << nothing.text();
}

TEST(Remedy, AnUnknownTypeHasNone) { EXPECT_EQ(remedy_for("no_such_type", check("x.y", Outcome::fail)), ""); }

}  // namespace
}  // namespace holdshort
