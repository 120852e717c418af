// The laws that are proved on all words, by name, with what must hold of each: bounds, symmetry, tail words.
// It must not know how words are chosen or values judged.
#pragma once

#include <cstring>
#include <limits>

#include "fanfill/fanfill.hpp"

namespace fanfill_exhaustive {

inline constexpr double kInfinity = std::numeric_limits<double>::infinity();

struct NamedLaw {
  const char* name;
  fanfill::Law law;
  double low, high;  // no value may lie outside; stated here, not asked of the core
  bool half_open;    // `high` itself is outside too
  bool symmetric;    // mean 0 and bounds +-c: w and ~w must give opposite values
  bool deep_low;     // the 2^16 words of the lowest values take tail words (in the 32-bit dtypes)
  bool deep_high;    // those of the highest
};

constexpr fanfill::Law normal(double mean, double std) {
  return {fanfill::LawKind::kNormal, mean, std, 0.0, 0.0, fanfill::BoundUnit::kAbsolute, false};
}
constexpr fanfill::Law uniform(double low, double high) {
  return {fanfill::LawKind::kUniform, 0.0, 0.0, low, high, fanfill::BoundUnit::kAbsolute, false};
}
constexpr fanfill::Law truncated(double low, double high) {
  return {fanfill::LawKind::kTruncatedNormal, 0.0, 1.0, low, high, fanfill::BoundUnit::kSigma, false};
}
constexpr fanfill::Law within(double low, double high) {
  return {fanfill::LawKind::kTruncatedNormal, 0.0, 1.0, low, high, fanfill::BoundUnit::kAbsolute, false};
}

inline constexpr NamedLaw kNamedLaws[] = {
    {"normal", normal(0.0, 1.0), -kInfinity, kInfinity, false, true, true, true},
    {"normal_std_0.02", normal(0.0, 0.02), -kInfinity, kInfinity, false, true, true, true},
    {"normal_std_3e-5", normal(0.0, 3e-5), -kInfinity, kInfinity, false, true, true, true},
    {"normal_mean_1_std_0.1", normal(1.0, 0.1), -kInfinity, kInfinity, false, false, true, true},
    {"uniform_0_1", uniform(0.0, 1.0), 0.0, 1.0, true, false, false, false},
    {"uniform_-1_2", uniform(-1.0, 2.0), -1.0, 2.0, true, false, false, false},
    {"uniform_symmetric", uniform(-0.05, 0.05), -0.05, 0.05, true, true, false, false},
    {"truncated_2", truncated(-2.0, 2.0), -2.0, 2.0, false, true, false, false},
    {"truncated_3", truncated(-3.0, 3.0), -3.0, 3.0, false, true, false, false},
    {"truncated_8", truncated(-8.0, 8.0), -8.0, 8.0, false, true, true, true},
    {"truncated_one_sided", truncated(0.0, kInfinity), 0.0, kInfinity, false, false, false, true},
    {"truncated_asymmetric", truncated(-1.0, 3.0), -1.0, 3.0, false, false, false, false},
    {"truncated_10_11", truncated(10.0, 11.0), 10.0, 11.0, false, false, false, false},
    {"truncated_narrow", within(1.0, 1.001), 1.0, 1.001, false, false, false, false},
    {"truncated_beyond_table", truncated(15.0, 20.0), 15.0, 20.0, false, false, false, true},
};

inline const NamedLaw* find_law(const char* name) {
  for (const NamedLaw& law : kNamedLaws) {
    if (std::strcmp(law.name, name) == 0) return &law;
  }
  return nullptr;
}

}  // namespace fanfill_exhaustive
