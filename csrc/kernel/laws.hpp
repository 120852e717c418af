// The laws as functions of vectors of words: one word in, one value out, docs/contract.md in code.
// It must not know Philox, memory or dtypes; rare words are only noticed here, value.hpp draws them.
#pragma once

#include <cstddef>
#include <cstdint>

#include "law_plan.hpp"
#include "value.hpp"

namespace fanfill {
namespace {

// Every law: kFused (a batch of vectors at a time) or not (value by value). One that kWatches has the
// quantile remember whether a small argument went by, and is_rare and value for single words.

// In float64 up to the one rounding to float32.
struct UniformLaw {
  static constexpr bool kFused = true;
  static constexpr bool kWatches = false;
  F64 k, middle;
  F32 low, high;

  FANFILL_INLINE explicit UniformLaw(const LawPlan& plan)
      : k(splat(plan.k64)), middle(splat(plan.mean64)), low(splat(plan.low)), high(splat(plan.high)) {}
  FANFILL_INLINE void operator()(const U32* words, F32* v, Watch&) const {
#pragma GCC unroll 4
    for (int i = 0; i < kVectors; ++i)
      v[i] = minimum(maximum(fused_wide(operator_or(words[i], splat(1u)), k, middle), low), high);
  }
};

// Bounds at +-a: no middle to add, and float32 is fine enough.
struct SymmetricUniformLaw {
  static constexpr bool kFused = true;
  static constexpr bool kWatches = false;
  F32 k, low, high;

  FANFILL_INLINE explicit SymmetricUniformLaw(const LawPlan& plan)
      : k(splat(plan.k)), low(splat(plan.low)), high(splat(plan.high)) {}
  FANFILL_INLINE void operator()(const U32* words, F32* v, Watch&) const {
#pragma GCC unroll 4
    for (int i = 0; i < kVectors; ++i)
      v[i] = minimum(maximum(multiply(from_signed(operator_or(words[i], splat(1u))), k), low), high);
  }
};

// x = s 2^-31 carries the sign and the centre, n = 2^31 - |s| the tail: z = x G(n 2^-31), in one fma with
// mean. kDeep: words with n < 2^16 take tail words; their arguments are small, for deep bounds add less than
// 2^16.
template <bool kTruncated, bool kClamp, bool kDeep>
struct NormalLaw {
  static constexpr bool kFused = true;
  static constexpr bool kWatches = kDeep;
  Window window;
  U32 one, top;
  F32 k, mean, p_scale, p_far, low, high;

  FANFILL_INLINE explicit NormalLaw(const LawPlan& plan)
      : one(held(splat(1u))),
        top(held(splat(0x80000000u))),
        k(splat(plan.k)),
        mean(splat(plan.mean)),
        p_scale(splat(plan.p_scale)),
        p_far(splat(plan.p_far)),
        low(splat(plan.low)),
        high(splat(plan.high)) {
    load_window(window);
  }
  FANFILL_INLINE F32 tail(U32 word) const {
    if (!kTruncated) return tail_up_to_sign(word, one, top);
    return fused(tail_of(word, one, top), p_scale, p_far);
  }
  FANFILL_INLINE void operator()(const U32* words, F32* v, Watch& watch) const {
    F32 p[kVectors], g[kVectors];
#pragma GCC unroll 4
    for (int i = 0; i < kVectors; ++i) p[i] = tail(words[i]);
    quantile(window, p, g, watch);
#pragma GCC unroll 4
    for (int i = 0; i < kVectors; ++i) {
      v[i] = fused(g[i], multiply(from_signed(operator_or(words[i], one)), k), mean);
      if (kClamp) v[i] = kTruncated ? minimum(maximum(v[i], low), high) : within(v[i], high);
    }
  }
  static bool is_rare(const LawPlan&, std::uint32_t word) {
    const std::int32_t s = static_cast<std::int32_t>(word | 1u);
    const std::uint32_t n = 0x80000000u - static_cast<std::uint32_t>(s < 0 ? -s : s);
    return n < kTailIndices;
  }
  static float value(const LawPlan& plan, std::uint32_t word, std::uint32_t tail) {
    const float v = tail_value(plan, word, tail);
    return kClamp ? clamp(v, plan.low, plan.high) : v;
  }
};

struct SidesLaw {
  static constexpr bool kFused = true;
  static constexpr bool kWatches = true;
  struct SideLanes {
    F32 p_step, p_far, s_step, s_near;
    FANFILL_INLINE explicit SideLanes(const Side& side)
        : p_step(splat(side.p_step_scaled)),
          p_far(splat(side.p_far_scaled)),
          s_step(splat(side.s_step)),
          s_near(splat(side.s_near)) {}
  };
  Window window;
  SideLanes negative, positive;
  U32 threshold, last_negative;
  Mask has_negative;
  F32 mean, low, high;

  FANFILL_INLINE explicit SidesLaw(const LawPlan& plan)
      : negative(plan.negative),
        positive(plan.positive),
        threshold(splat(static_cast<std::uint32_t>(plan.threshold))),
        last_negative(splat(static_cast<std::uint32_t>(plan.threshold - 1))),
        has_negative(all_or_none(plan.has_negative)),
        mean(splat(plan.mean)),
        low(splat(plan.low)),
        high(splat(plan.high)) {
    load_window(window);
  }
  FANFILL_INLINE void arguments(U32 word, F32& p, F32& s) const {
    const U32 biased = operator_xor(word, splat(0x80000000u));
    const Mask is_negative = both(less_equal(biased, last_negative), has_negative);
    const U32 ones = select(is_negative, splat(~0u), splat(0u));
    const U32 j = operator_xor(subtract(biased, threshold), ones);       // negative: T - 1 - biased
    const U32 m = operator_xor(biased, operator_xor(ones, splat(~0u)));  // negative: biased itself
    p = fused(from_unsigned(m), select(is_negative, negative.p_step, positive.p_step),
              select(is_negative, negative.p_far, positive.p_far));
    s = fused(from_unsigned(j), select(is_negative, negative.s_step, positive.s_step),
              select(is_negative, negative.s_near, positive.s_near));
  }
  FANFILL_INLINE void operator()(const U32* words, F32* v, Watch& watch) const {
    F32 p[kVectors], s[kVectors], g[kVectors];
#pragma GCC unroll 4
    for (int i = 0; i < kVectors; ++i) arguments(words[i], p[i], s[i]);
    quantile(window, p, g, watch);
#pragma GCC unroll 4
    for (int i = 0; i < kVectors; ++i) v[i] = minimum(maximum(fused(g[i], s[i], mean), low), high);
  }
  static bool is_rare(const LawPlan& plan, std::uint32_t word) { return is_rare_side(plan, word); }
  static float value(const LawPlan& plan, std::uint32_t word, std::uint32_t tail) {
    return clamp(side_value(plan, word, tail), plan.low, plan.high);
  }
};

// Laws drawn one by one in float64, then rounded to float32.
struct WideLaw {
  static constexpr bool kFused = false;
  static bool takes_tail(const LawPlan& plan, std::uint32_t word) { return is_deep_index(plan, word); }
  static float value(const LawPlan& plan, std::uint32_t word, std::uint32_t tail) {
    return clamp(static_cast<float>(wide_value(plan, word, tail)), plan.low, plan.high);
  }
};

struct LogUniformLaw {
  static constexpr bool kFused = false;
  static bool takes_tail(const LawPlan&, std::uint32_t) { return false; }
  static float value(const LawPlan& plan, std::uint32_t word, std::uint32_t) {
    return clamp(static_cast<float>(log_uniform_value(plan, word)), plan.low, plan.high);
  }
};

// -- float64: two words a value, no tail words: 63 bits reach 9 sigma ---------------------------------------

// middle + s k by double-double: the product's error and the sum's (Knuth, The Art of Computer Programming,
// 2, 1969) join what the lower half of s adds; what is rounded last is off by at most 2^-83 of half the
// width.
struct UniformLaw64 {
  static constexpr bool kFused = true;
  F64 k, middle, low, high;
  FANFILL_INLINE explicit UniformLaw64(const LawPlan& plan)
      : k(splat(plan.k64)), middle(splat(plan.mean64)), low(splat(plan.low64)), high(splat(plan.high64)) {}
  FANFILL_INLINE F64 draw(U64 word) const {
    const U64 s = odd64(word);
    const F64 upper = from_upper(s);
    const F64 product = multiply(upper, k);
    const F64 sum = add(product, middle), part = subtract(sum, product);
    const F64 error = add(subtract(product, subtract(sum, part)), subtract(middle, part));
    const F64 rest = fused(from_lower(s), k, fused_difference(upper, k, product));
    return minimum(maximum(add(sum, add(error, rest)), low), high);
  }
  FANFILL_INLINE void operator()(U64 word0, U64 word1, F64& v0, F64& v1) const {
    v0 = draw(word0);
    v1 = draw(word1);
  }
};

struct SymmetricUniformLaw64 {
  static constexpr bool kFused = true;
  F64 k, low, high;
  FANFILL_INLINE explicit SymmetricUniformLaw64(const LawPlan& plan)
      : k(splat(plan.k64)), low(splat(plan.low64)), high(splat(plan.high64)) {}
  FANFILL_INLINE F64 draw(U64 word) const {
    return minimum(maximum(multiply(from_signed64(odd64(word)), k), low), high);
  }
  FANFILL_INLINE void operator()(U64 word0, U64 word1, F64& v0, F64& v1) const {
    v0 = draw(word0);
    v1 = draw(word1);
  }
};

// The octaves that the registers do not hold.
__attribute__((noinline)) void mend_quantile64(const double* p, double* g) {
  for (int i = 0; i < kLanes / 2; ++i) {
    const double magnitude = double_of(bits_of(p[i]) & ~(std::uint64_t{1} << 63));
    if (magnitude < kWindowBegin64) g[i] = quantile64_of(magnitude * 0x1p-63);
  }
}
FANFILL_INLINE F64 mended(F64 p, F64 g) {
  alignas(64) double ps[kLanes / 2], gs[kLanes / 2];
  store_f64(ps, p, false);
  store_f64(gs, g, false);
  mend_quantile64(ps, gs);
  return load(gs);
}

template <bool kTruncated>
struct NormalLaw64 {
  static constexpr bool kFused = true;
  Window64 window;
  U64 one, top;
  F64 k, mean, p_scale, p_far, low, high;
  FANFILL_INLINE explicit NormalLaw64(const LawPlan& plan)
      : one(held(splat_u64(1))),
        top(held(splat_u64(std::uint64_t{1} << 63))),
        k(splat(plan.k64)),
        mean(splat(plan.mean64)),
        p_scale(splat(plan.p_scale64)),
        p_far(splat(plan.p_far64)),
        low(splat(plan.low64)),
        high(splat(plan.high64)) {
    load_window64(window);
  }
  FANFILL_INLINE F64 tail(U64 word) const {
    if (!kTruncated) return tail_up_to_sign64(word, one, top);
    return fused(from_signed64(tail64(odd64(word))), p_scale, p_far);
  }
  FANFILL_INLINE F64 scaled(U64 s, F64 g) const {
    const F64 v = fused(g, multiply(from_signed64(s), k), mean);
    return kTruncated ? minimum(maximum(v, low), high) : v;
  }
  FANFILL_INLINE void operator()(U64 word0, U64 word1, F64& v0, F64& v1) const {
    const F64 p0 = tail(word0), p1 = tail(word1);
    F64 g0, g1;
    bool outside = false;
    quantile64(window, p0, p1, g0, g1, outside);
    if (__builtin_expect(outside, 0)) {
      g0 = mended(p0, g0);
      g1 = mended(p1, g1);
    }
    v0 = scaled(odd64(word0), g0);
    v1 = scaled(odd64(word1), g1);
  }
};

struct WideLaw64 {
  static constexpr bool kFused = false;
  static double value(const LawPlan& plan, std::uint64_t word) {
    return clamp(wide_value(plan, word, 0u), plan.low64, plan.high64);
  }
};

struct LogUniformLaw64 {
  static constexpr bool kFused = false;
  static double value(const LawPlan& plan, std::uint64_t word) {
    return clamp(log_uniform_value(plan, word), plan.low64, plan.high64);
  }
};

}  // namespace
}  // namespace fanfill
