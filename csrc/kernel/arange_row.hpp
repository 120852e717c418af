// A row of an arange: a function of the index alone, that repeats itself.
// It must not know words, vectors or threads; a value never depends on where a row begins or ends.
#pragma once

#include <cstddef>
#include <cstdint>

#include "formats.hpp"
#include "table.hpp"
#include "value.hpp"

namespace fanfill {
namespace {

__attribute__((noinline)) double arange_element(const LawPlan& plan, std::uint64_t place) {
  return arange_value(plan, place);
}

// The code of the element at each place of the period.
template <class Format>
struct ArangeCodes {
  using Element = typename Format::Element;
  using Index = std::uint32_t;  // as wide as a word of the dtype
  const LawPlan& plan;
  Element operator()(std::uint64_t place) const {
    return Format::code(clamp(static_cast<float>(arange_element(plan, place)), plan.low, plan.high));
  }
};
struct ArangeCodes64 {
  using Element = double;
  using Index = std::uint64_t;
  const LawPlan& plan;
  double operator()(std::uint64_t place) const { return arange_element(plan, place); }
};

// Periods up to this long, such as the states of a state-space model, are computed once for a row.
constexpr std::uint64_t kTabledPeriod = 256;

template <class Codes>
__attribute__((noinline)) void fill_arange_row(const Codes& codes, const RowJob& job) {
  using Element = typename Codes::Element;
  const std::uint64_t period = codes.plan.period;
  const bool is_tabled = period <= kTabledPeriod && period < job.count;
  Element table[kTabledPeriod];
  for (std::uint64_t i = 0; is_tabled && i < period; ++i) table[i] = codes(i);
  char* out = static_cast<char*>(job.out);
  std::uint64_t place = job.start % period;
  for (std::uint64_t i = 0; i < job.count; ++i, out += job.byte_stride) {
    *reinterpret_cast<Element*>(out) = is_tabled ? table[place] : codes(place);
    if (++place == period) place = 0;
  }
}

template <class Codes>
void transform_indices(const Codes& codes, const void* indices, std::size_t count, void* out) {
  const auto* index = static_cast<const typename Codes::Index*>(indices);
  for (std::size_t i = 0; i < count; ++i)
    static_cast<typename Codes::Element*>(out)[i] = codes(index[i] % codes.plan.period);
}

}  // namespace
}  // namespace fanfill
