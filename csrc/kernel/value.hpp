// One value at a time: the whole quantile tables, the tails, and the laws that are drawn in float64.
// It must not know vectors; where a vector law meets a rare word, this file says what the value is.
#pragma once

#include <cstdint>
#include <type_traits>

#include "elementary.hpp"
#include "law_plan.hpp"
#include "quantile_table.hpp"
#include "quantile_table64.hpp"
#include "quantile_window.hpp"

namespace fanfill {
namespace {

constexpr std::uint32_t kTailIndices = 1u << 16;  // the indices nearest to p = 0 that take a tail word

// G at P = p * 2^31, over the whole table.
inline float quantile_of(float p) {
  const std::uint32_t b = bits_of(p);
  const int row = static_cast<int>(b >> 23) - (127 + 31) - kFirstOctave;
  const float u = 1.5f - float_of((b & 0x3FFFFFu) | 0x3F800000u);
  const float* c = kQuantile[row < 0 ? 0 : row][(b >> 22) & 1u];
  float g = c[kDegree];
  for (int d = kDegree - 1; d >= 0; --d) g = fma(g, u, c[d]);
  return g;
}

// G at p itself, over the whole table.
inline double quantile64_of(double p) {
  const std::uint64_t b = bits_of(p);
  const int row = static_cast<int>(b >> 52) - 1023 - kFirstOctave64;
  const double u = 1.5 - double_of((b & 0x7FFFFFFFFFFFFu) | 0x3FF0000000000000u);
  const double* c = kQuantile64[row < 0 ? 0 : row][(b >> 51) & 1u];
  double g = c[kDegree64];
  for (int d = kDegree64 - 1; d >= 0; --d) g = fma(g, u, c[d]);
  return g;
}

inline float clamp(float v, float low, float high) {
  v = v > low ? v : low;
  return v < high ? v : high;
}
inline double clamp(double v, double low, double high) {
  v = v > low ? v : low;
  return v < high ? v : high;
}

// index * 2^32 + tail + 1/2, rounded once to float32, in units of the index.
inline float refined(std::uint32_t index, std::uint32_t tail) {
  const std::uint64_t twice = ((std::uint64_t{index} << 32) | tail) * 2 + 1;
  return static_cast<float>(static_cast<std::int64_t>(twice)) * 0x1p-33f;
}

// Normal and symmetric truncated normal where n = 2^31 - |s| < 2^16; the caller clamps.
inline float tail_value(const LawPlan& plan, std::uint32_t word, std::uint32_t tail) {
  const std::int32_t s = static_cast<std::int32_t>(word | 1u);
  const std::uint32_t n = 0x80000000u - static_cast<std::uint32_t>(s < 0 ? -s : s);
  const float p = fma(refined((n - 1) / 2, tail) * 2.0f, plan.p_scale, plan.p_far);
  return fma(quantile_of(p), static_cast<float>(s) * plan.k, plan.mean);
}

// Which side of zero a word is on, j counted from the bound near zero and m from the far one.
template <class Word>
struct SideIndex {
  const Side* side;
  bool negative;
  Word j, m;
};
template <class Word>
inline SideIndex<Word> side_index(const LawPlan& plan, Word word) {
  const Word biased = word ^ (Word{1} << (sizeof(Word) * 8 - 1));
  const Word threshold = static_cast<Word>(plan.threshold);
  const bool negative = plan.has_negative && (!plan.has_positive || biased < threshold);
  if (negative) return {&plan.negative, true, static_cast<Word>(threshold - 1 - biased), biased};
  return {&plan.positive, false, static_cast<Word>(biased - threshold), static_cast<Word>(~biased)};
}

inline bool is_rare_side(const LawPlan& plan, std::uint32_t word) {
  const SideIndex<std::uint32_t> i = side_index(plan, word);
  return fma(static_cast<float>(i.m), i.side->p_step_scaled, i.side->p_far_scaled) < kSmallArgument;
}

inline float side_value(const LawPlan& plan, std::uint32_t word, std::uint32_t tail) {
  const SideIndex<std::uint32_t> i = side_index(plan, word);
  const Side& side = *i.side;
  const bool deep = side.deep && i.m < kTailIndices;
  const float p = deep ? fma(refined(i.m, tail), side.p_step_scaled, side.p_bound_scaled)
                       : fma(static_cast<float>(i.m), side.p_step_scaled, side.p_far_scaled);
  const float s = fma(static_cast<float>(i.j), side.s_step, side.s_near);
  return fma(quantile_of(p), s, plan.mean);
}

// Whether a law drawn in float64 takes a tail word for this word.
inline bool is_deep_index(const LawPlan& plan, std::uint32_t word) {
  const SideIndex<std::uint32_t> i = side_index(plan, word);
  return i.side->deep && i.m < kTailIndices;
}

// -- In float64 ------------------------------------------------------------------------------------------

// Mills' ratio Q(z) / phi(z) by Laplace's continued fraction, to full precision from 12 on.
inline double mills(double z) {
  double f = z;
  for (int i = 16; i >= 1; --i) f = z + i / f;
  return 1.0 / f;
}

// |z| with Q(z) = share * Q(near), by Newton's method on ln Q: five steps from the asymptote, near >= 12.
inline double far_quantile(double near, double share) {
  const double target = logarithm(share), base = logarithm(mills(near));
  double z = __builtin_sqrt(fma(near, near, -2.0 * target));
  for (int i = 0; i < 5; ++i) {
    const double m = mills(z);
    const double log_share = -0.5 * (z - near) * (z + near) + (logarithm(m) - base);
    z = fma(log_share - target, m, z);
  }
  return z;
}

// A word of either width under a log-uniform law, before the clamp to the dtype: 2 to a linear function of
// the word, whose rounding errors are kept.
template <class Word>
inline double log_uniform_value(const LawPlan& plan, Word word) {
  using Signed = std::conditional_t<sizeof(Word) == 4, std::int32_t, std::int64_t>;
  const double t =
      static_cast<double>(static_cast<Signed>(word | 1u)) * (sizeof(Word) == 4 ? 0x1p-31 : 0x1p-63);
  const double product = t * plan.log2_half, sum = product + plan.log2_middle;
  const double part = sum - product;
  const double rest = ((product - (sum - part)) + (plan.log2_middle - part)) +
                      (fma(t, plan.log2_half, -product) + fma(t, plan.log2_half_rest, plan.log2_middle_rest));
  return mapped(plan.map, clamp(power_of_two(sum, rest), plan.start, plan.stop));
}

// The element at the place `index` of a period of an arange, before the clamp to the dtype.
inline double arange_value(const LawPlan& plan, std::uint64_t index) {
  return mapped(plan.map, fma(static_cast<double>(index), plan.step, plan.start));
}

// A word of either width under a law of two sides, in float64, before the clamp.
template <class Word>
inline double wide_value(const LawPlan& plan, Word word, std::uint32_t tail) {
  const SideIndex<Word> i = side_index(plan, word);
  const Side& side = *i.side;
  double m = static_cast<double>(i.m) + 0.5;
  if (sizeof(Word) == 4 && side.deep && i.m < kTailIndices)
    m = static_cast<double>(static_cast<std::int64_t>(((std::uint64_t{i.m} << 32) | tail) * 2 + 1)) * 0x1p-33;
  const double sign = i.negative ? -plan.std64 : plan.std64;
  if (plan.transform == Transform::kTruncatedFar)
    return fma(far_quantile(side.near, fma(m, side.p_step, side.p_far)), sign, plan.mean64);
  const double p = fma(m, side.p_step, side.p_far);
  const double x = fma(static_cast<double>(i.j) + 0.5, side.p_step, side.x_near);
  return fma(quantile64_of(p), x * sign, plan.mean64);
}

}  // namespace
}  // namespace fanfill
