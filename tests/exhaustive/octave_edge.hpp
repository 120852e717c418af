// Where the pieces of the quantile meet, as indices of a law: octaves of the tail probability p and their
// middles. It must not know coefficients; it knows p = 2^-e and 1.5 * 2^-e and the normal distribution.
#pragma once

#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include "named_law.hpp"
#include "sweep.hpp"

namespace fanfill_exhaustive {

// |z| with the two-sided tail probability p, by bisection; far better than one index's width.
inline double two_sided_quantile(long double p) {
  long double low = 0.0L, high = 40.0L;
  for (int i = 0; i < 80; ++i) {
    const long double middle = (low + high) / 2;
    (std::erfc(middle * 0.70710678118654752440L) > p ? low : high) = middle;
  }
  return static_cast<double>(low);
}

template <class Word>
std::vector<Word> octave_edges(const std::string& isa, const NamedLaw& named) {
  const fanfill::Law& law = named.law;
  const int bits = static_cast<int>(sizeof(Word) * 8);
  std::vector<Word> edges = {0, kTopBit<Word>, static_cast<Word>(~Word{0})};
  if (law.kind == fanfill::LawKind::kNormal) {  // p = index / 2^(bits - 1), exactly
    for (int e = 0; e < bits; ++e) {
      const Word octave = static_cast<Word>(Word{1} << e);
      for (const Word n : {octave, static_cast<Word>(octave + octave / 2)}) {
        edges.push_back(n);
        edges.push_back(static_cast<Word>(~n));
      }
    }
  } else if (law.kind == fanfill::LawKind::kTruncatedNormal) {
    for (int e = 0; e <= 2 * bits; ++e) {
      const double z = two_sided_quantile(std::ldexp(1.0L, -(e / 2)) * (e % 2 == 0 ? 1.0L : 0.75L));
      edges.push_back(first_at_least<Word>(isa, law, law.mean + law.std * z));
      edges.push_back(first_at_least<Word>(isa, law, law.mean - law.std * z));
    }
  }
  edges.push_back(first_at_least<Word>(isa, law, 0.0));
  return edges;
}

}  // namespace fanfill_exhaustive
