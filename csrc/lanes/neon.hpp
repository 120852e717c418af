// The lanes of AArch64 Advanced SIMD: four 32-bit lanes, four Philox counters.
// It must not know laws or memory layouts beyond contiguous vectors; scalar.hpp defines what each name means.
#pragma once

#include <arm_neon.h>

#include <cstddef>
#include <cstdint>

#include "../kernel/quantile_window.hpp"
#include "../kernel/rounding.hpp"

#define FANFILL_INLINE inline __attribute__((always_inline))

namespace fanfill {
namespace {

constexpr int kLanes = 4;
constexpr int kCounters = 4;
constexpr int kBatches = 2;
constexpr int kVectors = 4 * kCounters / kLanes;
constexpr bool kStreams = false;  // whether there are stores past the cache
constexpr bool kPipelines = false;

using U32 = uint32x4_t;
using U64 = uint64x2_t;
using F32 = float32x4_t;
using F64 = float64x2_t;
struct Word {  // one Philox word of four counters
  uint32x4_t v;
};
struct Product {  // four 64-bit products
  uint32x4_t lower, upper;
};
struct Product64 {  // the same before their halves are taken apart
  uint64x2_t first, second;
};
struct Mask {
  uint32x4_t v;
};

FANFILL_INLINE U32 splat(std::uint32_t v) { return vdupq_n_u32(v); }
// A constant that the compiler can't see through: it keeps it, where GCC would rebuild it in every turn of a
// loop.
template <class Vector>
FANFILL_INLINE Vector held(Vector v) {
  __asm__("" : "+w"(v));
  return v;
}
FANFILL_INLINE F32 splat(float v) { return vdupq_n_f32(v); }
FANFILL_INLINE F64 splat(double v) { return vdupq_n_f64(v); }

// -- Philox ------------------------------------------------------------------------------------------
FANFILL_INLINE Word word_splat(std::uint32_t v) { return {vdupq_n_u32(v)}; }
FANFILL_INLINE Word key_splat(std::uint32_t v, bool) { return {vdupq_n_u32(v)}; }
FANFILL_INLINE void counter_words(std::uint64_t block, Word& c0, Word& c1) {
  const uint64x2_t first = vaddq_u64(vdupq_n_u64(block), vcombine_u64(vcreate_u64(0), vcreate_u64(1)));
  const uint64x2_t second = vaddq_u64(first, vdupq_n_u64(2));
  c0.v = vuzp1q_u32(vreinterpretq_u32_u64(first), vreinterpretq_u32_u64(second));
  c1.v = vuzp2q_u32(vreinterpretq_u32_u64(first), vreinterpretq_u32_u64(second));
}
FANFILL_INLINE void counter_words(const std::uint64_t* blocks, Word& c0, Word& c1) {
  const uint32x4_t first = vreinterpretq_u32_u64(vld1q_u64(blocks));
  const uint32x4_t second = vreinterpretq_u32_u64(vld1q_u64(blocks + 2));
  c0.v = vuzp1q_u32(first, second);
  c1.v = vuzp2q_u32(first, second);
}
FANFILL_INLINE Product64 splat64(std::uint64_t v) { return {vdupq_n_u64(v), vdupq_n_u64(v)}; }
FANFILL_INLINE Product64 multiples(std::uint64_t m, std::uint64_t first) {
  const uint64x2_t a = vcombine_u64(vcreate_u64(m * first), vcreate_u64(m * (first + 1)));
  return {a, vaddq_u64(a, vdupq_n_u64(2 * m))};
}
FANFILL_INLINE Product sum64(Product64 a, Product64 b) {
  const uint32x4_t x = vreinterpretq_u32_u64(vaddq_u64(a.first, b.first));
  const uint32x4_t y = vreinterpretq_u32_u64(vaddq_u64(a.second, b.second));
  return {vuzp1q_u32(x, y), vuzp2q_u32(x, y)};
}
FANFILL_INLINE Product multiply(Word c, Word m) {
  const uint32x4_t a = vreinterpretq_u32_u64(vmull_u32(vget_low_u32(c.v), vget_low_u32(m.v)));
  const uint32x4_t b = vreinterpretq_u32_u64(vmull_high_u32(c.v, m.v));
  return {vuzp1q_u32(a, b), vuzp2q_u32(a, b)};
}
FANFILL_INLINE Word high_xor(Product p, Word c, Word key) {
  return {veorq_u32(p.upper, veorq_u32(c.v, key.v))};
}
FANFILL_INLINE Word high_xor_shuffled(Product p, Word c, Word key) { return high_xor(p, c, key); }
FANFILL_INLINE Word high_xor(Product p, Word c) { return {veorq_u32(p.upper, c.v)}; }
FANFILL_INLINE Word xor_words(Word a, Word b) { return {veorq_u32(a.v, b.v)}; }
FANFILL_INLINE Word low(Product p) { return {p.lower}; }
FANFILL_INLINE void emit(Product p0, Product p1, Word c1, Word c3, Word key0, Word key1, U32* out) {
  const uint32x4_t w0 = high_xor(p1, c1, key0).v, w1 = p1.lower, w2 = high_xor(p0, c3, key1).v, w3 = p0.lower;
  const uint64x2_t a = vreinterpretq_u64_u32(vzip1q_u32(w0, w1)),
                   b = vreinterpretq_u64_u32(vzip1q_u32(w2, w3));
  const uint64x2_t c = vreinterpretq_u64_u32(vzip2q_u32(w0, w1)),
                   d = vreinterpretq_u64_u32(vzip2q_u32(w2, w3));
  out[0] = vreinterpretq_u32_u64(vzip1q_u64(a, b));
  out[1] = vreinterpretq_u32_u64(vzip2q_u64(a, b));
  out[2] = vreinterpretq_u32_u64(vzip1q_u64(c, d));
  out[3] = vreinterpretq_u32_u64(vzip2q_u64(c, d));
}

// -- 32-bit lanes ------------------------------------------------------------------------------------
FANFILL_INLINE U32 load(const std::uint32_t* p) { return vld1q_u32(p); }
FANFILL_INLINE F32 load(const float* p) { return vld1q_f32(p); }
FANFILL_INLINE F64 load(const double* p) { return vld1q_f64(p); }
FANFILL_INLINE void store(std::uint32_t* p, U32 v) { vst1q_u32(p, v); }
FANFILL_INLINE U32 operator_or(U32 a, U32 b) { return vorrq_u32(a, b); }
FANFILL_INLINE U32 operator_xor(U32 a, U32 b) { return veorq_u32(a, b); }
FANFILL_INLINE U32 subtract(U32 a, U32 b) { return vsubq_u32(a, b); }
FANFILL_INLINE U32 absolute(U32 a) { return vreinterpretq_u32_s32(vabsq_s32(vreinterpretq_s32_u32(a))); }
FANFILL_INLINE Mask less_equal(U32 a, U32 b) { return {vcleq_u32(a, b)}; }
FANFILL_INLINE Mask both(Mask a, Mask b) { return {vandq_u32(a.v, b.v)}; }
FANFILL_INLINE Mask all_or_none(bool v) { return {vdupq_n_u32(v ? ~0u : 0u)}; }
FANFILL_INLINE U32 select(Mask m, U32 yes, U32 no) { return vbslq_u32(m.v, yes, no); }
FANFILL_INLINE F32 select(Mask m, F32 yes, F32 no) { return vbslq_f32(m.v, yes, no); }
FANFILL_INLINE F32 from_signed(U32 a) { return vcvtq_f32_s32(vreinterpretq_s32_u32(a)); }
FANFILL_INLINE F32 from_unsigned(U32 a) { return vcvtq_f32_u32(a); }
FANFILL_INLINE F32 minimum(F32 a, F32 b) { return vbslq_f32(vcltq_f32(a, b), a, b); }
FANFILL_INLINE F32 maximum(F32 a, F32 b) { return vbslq_f32(vcgtq_f32(a, b), a, b); }
FANFILL_INLINE F32 within(F32 v, F32 limit) { return minimum(maximum(v, vnegq_f32(limit)), limit); }
FANFILL_INLINE F32 multiply(F32 a, F32 b) { return vmulq_f32(a, b); }
FANFILL_INLINE F32 fused(F32 a, F32 b, F32 c) { return vfmaq_f32(c, a, b); }
FANFILL_INLINE F32 fused_wide(U32 a, F64 k, F64 m) {
  const int32x4_t s = vreinterpretq_s32_u32(a);
  const float64x2_t lower = vfmaq_f64(m, vcvtq_f64_s64(vmovl_s32(vget_low_s32(s))), k);
  const float64x2_t upper = vfmaq_f64(m, vcvtq_f64_s64(vmovl_high_s32(s)), k);
  return vcvt_high_f32_f64(vcvt_f32_f64(lower), upper);
}

FANFILL_INLINE F32 tail_of(U32 word, U32 one, U32 top) {
  return from_signed(subtract(top, absolute(operator_or(word, one))));
}
FANFILL_INLINE F32 tail_up_to_sign(U32 word, U32 one, U32 top) { return tail_of(word, one, top); }

// -- 64-bit lanes ------------------------------------------------------------------------------------
FANFILL_INLINE U64 pairs(U32 a) { return vreinterpretq_u64_u32(a); }
FANFILL_INLINE U64 splat_u64(std::uint64_t v) { return vdupq_n_u64(v); }
FANFILL_INLINE U64 odd64(U64 a) { return vorrq_u64(a, vdupq_n_u64(1)); }
FANFILL_INLINE U64 tail64(U64 s) {
  return vsubq_u64(vdupq_n_u64(std::uint64_t{1} << 63),
                   vreinterpretq_u64_s64(vabsq_s64(vreinterpretq_s64_u64(s))));
}
FANFILL_INLINE F64 from_signed64(U64 a) { return vcvtq_f64_s64(vreinterpretq_s64_u64(a)); }
FANFILL_INLINE F64 from_upper(U64 a) { return from_signed64(vandq_u64(a, vdupq_n_u64(0xFFFFFFFF00000000u))); }
FANFILL_INLINE F64 from_lower(U64 a) { return from_signed64(vandq_u64(a, vdupq_n_u64(0xFFFFFFFFu))); }
FANFILL_INLINE F64 tail_up_to_sign64(U64 word, U64 one, U64) {
  return from_signed64(tail64(vorrq_u64(word, one)));
}
FANFILL_INLINE F64 minimum(F64 a, F64 b) { return vbslq_f64(vcltq_f64(a, b), a, b); }
FANFILL_INLINE F64 maximum(F64 a, F64 b) { return vbslq_f64(vcgtq_f64(a, b), a, b); }
FANFILL_INLINE F64 add(F64 a, F64 b) { return vaddq_f64(a, b); }
FANFILL_INLINE F64 subtract(F64 a, F64 b) { return vsubq_f64(a, b); }
FANFILL_INLINE F64 multiply(F64 a, F64 b) { return vmulq_f64(a, b); }
FANFILL_INLINE F64 fused(F64 a, F64 b, F64 c) { return vfmaq_f64(c, a, b); }
FANFILL_INLINE F64 fused_difference(F64 a, F64 b, F64 c) { return vfmaq_f64(vnegq_f64(c), a, b); }

// -- The quantile's table ----------------------------------------------------------------------------
// Eight octaves of two pieces fill one four-register table lookup; the lower eight octaves hold 1 word in
// 128.
struct Window {};
FANFILL_INLINE void load_window(Window&) {}
FANFILL_INLINE float32x4_t looked_up(const uint8x16x4_t& rows, uint8x16_t index) {
  return vreinterpretq_f32_u8(vqtbl4q_u8(rows, index));
}
FANFILL_INLINE uint8x16x4_t rows_of(const float (&coefficients)[16]) {
  return vld1q_u8_x4(reinterpret_cast<const std::uint8_t*>(coefficients));
}
// A batch with each load of the table.
FANFILL_INLINE void horner(const float (&table)[kDegree + 1][16], const uint8x16_t* index, const F32* u,
                           F32* g) {
#pragma GCC unroll 8
  for (int d = kDegree; d >= 0; --d) {
    const uint8x16x4_t rows = rows_of(table[d]);
#pragma GCC unroll 4
    for (int i = 0; i < kVectors; ++i) {
      const float32x4_t c = looked_up(rows, index[i]);
      g[i] = d == kDegree ? c : vfmaq_f32(c, g[i], u[i]);
    }
  }
}
struct Watch {
  float32x4_t smallest = vdupq_n_f32(kSmallArgument);
};
FANFILL_INLINE bool seen(const Watch& watch) { return vminvq_f32(watch.smallest) < kSmallArgument; }
FANFILL_INLINE void lower_octaves(uint8x16_t index, F32 u, F32 p, F32* g, Watch& watch) {
  const uint32x4_t lower = vcltq_f32(p, vdupq_n_f32(16777216.0f));
  if (vmaxvq_u32(lower) == 0) return;
  float32x4_t below = looked_up(rows_of(kWindow.sixteens[1][kDegree]), index);
  for (int d = kDegree - 1; d >= 0; --d)
    below = vfmaq_f32(looked_up(rows_of(kWindow.sixteens[1][d]), index), below, u);
  *g = vbslq_f32(lower, below, *g);
  watch.smallest = vminq_f32(watch.smallest, p);
}
FANFILL_INLINE void quantile(const Window&, const F32* p, F32* g, Watch& watch) {
  static_assert(kVectors == 4, "one question for four vectors");
  uint8x16_t index[kVectors];
  F32 u[kVectors];
#pragma GCC unroll 4
  for (int i = 0; i < kVectors; ++i) {
    const uint32x4_t b = vreinterpretq_u32_f32(p[i]);
    const uint32x4_t slot = vandq_u32(vshrq_n_u32(b, 22), vdupq_n_u32(15));
    index[i] = vreinterpretq_u8_u32(vmlaq_u32(vdupq_n_u32(0x03020100u), slot, vdupq_n_u32(0x04040404u)));
    const uint32x4_t t = vorrq_u32(vandq_u32(b, vdupq_n_u32(0x3FFFFFu)), vdupq_n_u32(0x3F800000u));
    u[i] = vsubq_f32(vdupq_n_f32(1.5f), vreinterpretq_f32_u32(t));
  }
  horner(kWindow.sixteens[0], index, u, g);
  const F32 smallest = vminq_f32(vminq_f32(p[0], p[1]), vminq_f32(p[2], p[3]));  // none is a zero
  if (__builtin_expect(vminvq_f32(smallest) < 16777216.0f, 0))
    for (int i = 0; i < kVectors; ++i) lower_octaves(index[i], u[i], p[i], &g[i], watch);
}
// float64: each lane's row, two coefficients at a time; the whole table, so nothing is outside.
struct Window64 {};
FANFILL_INLINE void load_window64(Window64&) {}
FANFILL_INLINE F64 quantile64(F64 p) {
  const uint64x2_t b = vreinterpretq_u64_f64(p);
  const uint64x2_t piece = vshrq_n_u64(b, 51);
  const double* const row0 = row64(vgetq_lane_u64(piece, 0));
  const double* const row1 = row64(vgetq_lane_u64(piece, 1));
  const uint64x2_t t =
      vorrq_u64(vandq_u64(b, vdupq_n_u64(0x7FFFFFFFFFFFFu)), vdupq_n_u64(0x3FF0000000000000u));
  const float64x2_t u = vsubq_f64(vdupq_n_f64(1.5), vreinterpretq_f64_u64(t));
  float64x2_t g = vdupq_n_f64(0.0);
#pragma GCC unroll 8
  for (int d = kDegree64 - 1; d >= 0; d -= 2) {
    const float64x2_t a = vld1q_f64(row0 + d), c = vld1q_f64(row1 + d);
    const float64x2_t upper = vzip2q_f64(a, c);
    g = d == kDegree64 - 1 ? upper : vfmaq_f64(upper, g, u);
    g = vfmaq_f64(vzip1q_f64(a, c), g, u);
  }
  return g;
}
FANFILL_INLINE void quantile64(const Window64&, F64 p0, F64 p1, F64& g0, F64& g1, bool& outside) {
  g0 = quantile64(p0);
  g1 = quantile64(p1);
  outside = false;
}

// -- Stores ------------------------------------------------------------------------------------------
FANFILL_INLINE void store_f32(float* p, F32 v, bool) { vst1q_f32(p, v); }
FANFILL_INLINE void store_f64(double* p, F64 v, bool) { vst1q_f64(p, v); }
FANFILL_INLINE U32 round_bf16(F32 v) {
  const uint32x4_t b = vreinterpretq_u32_f32(v);
  const uint32x4_t odd = vandq_u32(vshrq_n_u32(b, 16), vdupq_n_u32(1));
  return vaddq_u32(vaddq_u32(b, vdupq_n_u32(0x7FFF)), odd);
}
FANFILL_INLINE void store_bf16(std::uint16_t* p, F32 a, F32 b, bool) {
  vst1q_u16(p, vuzp2q_u16(vreinterpretq_u16_u32(round_bf16(a)), vreinterpretq_u16_u32(round_bf16(b))));
}
FANFILL_INLINE void store_f16(std::uint16_t* p, F32 a, F32 b, bool) {
  vst1q_u16(p, vreinterpretq_u16_f16(vcvt_high_f16_f32(vcvt_f16_f32(a), b)));
}
template <int kMantissa, int kBias>
FANFILL_INLINE uint16x8_t round_f8(F32 v) {  // without the sign, in the low byte of each 32 bits
  const float32x4_t magnitude = vabsq_f32(v);
  const float32x4_t least = vreinterpretq_f32_u32(vdupq_n_u32(static_cast<std::uint32_t>(128 - kBias) << 23));
  const uint32x4_t power =
      vandq_u32(vreinterpretq_u32_f32(vmaxq_f32(magnitude, least)), vdupq_n_u32(0x7F800000u));
  const uint32x4_t magic = vaddq_u32(power, vdupq_n_u32(kFloat8Magic<kMantissa, kBias>));
  const uint32x4_t sum = vreinterpretq_u32_f32(vaddq_f32(magnitude, vreinterpretq_f32_u32(magic)));
  return vreinterpretq_u16_u32(vsraq_n_u32(sum, sum, 23 - kMantissa));
}
template <int kMantissa, int kBias>
FANFILL_INLINE void store_f8(std::uint8_t* p, F32 a, F32 b, F32 c, F32 d, bool) {
  const uint16x8_t ab = vuzp1q_u16(round_f8<kMantissa, kBias>(a), round_f8<kMantissa, kBias>(b));
  const uint16x8_t cd = vuzp1q_u16(round_f8<kMantissa, kBias>(c), round_f8<kMantissa, kBias>(d));
  const uint16x8_t top_ab = vuzp2q_u16(vreinterpretq_u16_f32(a), vreinterpretq_u16_f32(b));
  const uint16x8_t top_cd = vuzp2q_u16(vreinterpretq_u16_f32(c), vreinterpretq_u16_f32(d));
  const uint8x16_t codes = vuzp1q_u8(vreinterpretq_u8_u16(ab), vreinterpretq_u8_u16(cd));
  const uint8x16_t tops = vuzp2q_u8(vreinterpretq_u8_u16(top_ab), vreinterpretq_u8_u16(top_cd));
  vst1q_u8(p, vbslq_u8(vdupq_n_u8(0x7F), codes, tops));
}
FANFILL_INLINE void fence() {}

}  // namespace
}  // namespace fanfill
