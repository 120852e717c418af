// The lanes of AVX2 with FMA and F16C: eight 32-bit lanes, four Philox counters in 64-bit lanes.
// It must not know laws or memory layouts beyond contiguous vectors; scalar.hpp defines what each name means.
#pragma once

#include <immintrin.h>

#include <cstddef>
#include <cstdint>

#include "../kernel/quantile_window.hpp"
#include "../kernel/rounding.hpp"

#define FANFILL_INLINE inline __attribute__((always_inline))

namespace fanfill {
namespace {

constexpr int kLanes = 8;
constexpr int kCounters = 4;
constexpr int kBatches = 4;
constexpr int kVectors = 4 * kCounters / kLanes;
constexpr bool kStreams = true;  // whether there are stores past the cache
constexpr bool kPipelines = true;

using U32 = __m256i;
using U64 = __m256i;
using F32 = __m256;
using F64 = __m256d;
using Word = __m256i;  // one Philox word of four counters, in the low halves; the upper halves are ignored
using Product = __m256i;
using Product64 = __m256i;  // a product before its halves are taken apart
struct Mask {
  __m256i v;
};

FANFILL_INLINE U32 splat(std::uint32_t v) { return _mm256_set1_epi32(static_cast<int>(v)); }
// A constant that the compiler can't see through: it keeps it, where GCC would rebuild it in every turn of a
// loop.
template <class Vector>
FANFILL_INLINE Vector held(Vector v) {
  __asm__("" : "+x"(v));
  return v;
}
FANFILL_INLINE F32 splat(float v) { return _mm256_set1_ps(v); }
FANFILL_INLINE F64 splat(double v) { return _mm256_set1_pd(v); }

// -- Philox ------------------------------------------------------------------------------------------
FANFILL_INLINE Word word_splat(std::uint32_t v) { return _mm256_set1_epi64x(static_cast<long long>(v)); }
FANFILL_INLINE Word key_splat(std::uint32_t v, bool last) {
  return _mm256_set1_epi64x(static_cast<long long>(last ? std::uint64_t{v} << 32 : std::uint64_t{v}));
}
FANFILL_INLINE void counter_words(std::uint64_t block, Word& c0, Word& c1) {
  // This order of counters makes the last shuffle yield flat order.
  const __m256i order = _mm256_setr_epi64x(0, 2, 1, 3);
  c0 = _mm256_add_epi64(_mm256_set1_epi64x(static_cast<long long>(block)), order);
  c1 = _mm256_srli_epi64(c0, 32);
}
FANFILL_INLINE void counter_words(const std::uint64_t* blocks, Word& c0, Word& c1) {
  c0 = _mm256_permute4x64_epi64(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(blocks)), 0xD8);
  c1 = _mm256_srli_epi64(c0, 32);
}
FANFILL_INLINE Product64 splat64(std::uint64_t v) { return _mm256_set1_epi64x(static_cast<long long>(v)); }
FANFILL_INLINE Product64 multiples(std::uint64_t m, std::uint64_t first) {
  return _mm256_mul_epu32(_mm256_add_epi64(splat64(first), _mm256_setr_epi64x(0, 2, 1, 3)), splat64(m));
}
FANFILL_INLINE Product sum64(Product64 a, Product64 b) { return _mm256_add_epi64(a, b); }
FANFILL_INLINE Product multiply(Word c, Word m) { return _mm256_mul_epu32(c, m); }
FANFILL_INLINE Word high_xor(Product p, Word c, Word key) {
  return _mm256_xor_si256(_mm256_srli_epi64(p, 32), _mm256_xor_si256(c, key));
}
FANFILL_INLINE Word high_xor_shuffled(Product p, Word c, Word key) {
  return high_xor(p, c, key);  // here the permutes of the quantile keep the shuffle port busy
}
FANFILL_INLINE Word high_xor(Product p, Word c) { return _mm256_xor_si256(_mm256_srli_epi64(p, 32), c); }
FANFILL_INLINE Word xor_words(Word a, Word b) { return _mm256_xor_si256(a, b); }
FANFILL_INLINE Word low(Product p) { return p; }
FANFILL_INLINE void emit(Product p0, Product p1, Word c1, Word c3, Word key0, Word key1, U32* out) {
  const __m256i a = _mm256_xor_si256(p1, _mm256_xor_si256(_mm256_slli_epi64(c1, 32), key0));
  const __m256i b = _mm256_xor_si256(p0, _mm256_xor_si256(_mm256_slli_epi64(c3, 32), key1));
  const __m256 fa = _mm256_castsi256_ps(a), fb = _mm256_castsi256_ps(b);
  out[0] = _mm256_castps_si256(_mm256_shuffle_ps(fa, fb, 0x11));
  out[1] = _mm256_castps_si256(_mm256_shuffle_ps(fa, fb, 0xBB));
}

// -- 32-bit lanes ------------------------------------------------------------------------------------
FANFILL_INLINE U32 load(const std::uint32_t* p) {
  return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
}
FANFILL_INLINE F32 load(const float* p) { return _mm256_loadu_ps(p); }
FANFILL_INLINE F64 load(const double* p) { return _mm256_loadu_pd(p); }
FANFILL_INLINE void store(std::uint32_t* p, U32 v) { _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), v); }
FANFILL_INLINE U32 operator_or(U32 a, U32 b) { return _mm256_or_si256(a, b); }
FANFILL_INLINE U32 operator_xor(U32 a, U32 b) { return _mm256_xor_si256(a, b); }
FANFILL_INLINE U32 subtract(U32 a, U32 b) { return _mm256_sub_epi32(a, b); }
FANFILL_INLINE U32 absolute(U32 a) { return _mm256_abs_epi32(a); }
FANFILL_INLINE Mask less_equal(U32 a, U32 b) { return {_mm256_cmpeq_epi32(_mm256_min_epu32(a, b), a)}; }
FANFILL_INLINE Mask both(Mask a, Mask b) { return {_mm256_and_si256(a.v, b.v)}; }
FANFILL_INLINE Mask all_or_none(bool v) { return {_mm256_set1_epi32(v ? -1 : 0)}; }
FANFILL_INLINE U32 select(Mask m, U32 yes, U32 no) { return _mm256_blendv_epi8(no, yes, m.v); }
FANFILL_INLINE F32 select(Mask m, F32 yes, F32 no) {
  return _mm256_blendv_ps(no, yes, _mm256_castsi256_ps(m.v));
}
FANFILL_INLINE F32 from_signed(U32 a) { return _mm256_cvtepi32_ps(a); }
FANFILL_INLINE F32 from_unsigned(U32 a) {
  // Both halves are exact, so the fma is the one rounding.
  const __m256 upper = _mm256_cvtepi32_ps(_mm256_srli_epi32(a, 16));
  const __m256 lower = _mm256_cvtepi32_ps(_mm256_and_si256(a, _mm256_set1_epi32(0xFFFF)));
  return _mm256_fmadd_ps(upper, _mm256_set1_ps(65536.0f), lower);
}
FANFILL_INLINE F32 minimum(F32 a, F32 b) { return _mm256_min_ps(a, b); }
FANFILL_INLINE F32 maximum(F32 a, F32 b) { return _mm256_max_ps(a, b); }
FANFILL_INLINE F32 within(F32 v, F32 limit) {
  return minimum(maximum(v, _mm256_sub_ps(_mm256_setzero_ps(), limit)), limit);
}
FANFILL_INLINE F32 multiply(F32 a, F32 b) { return _mm256_mul_ps(a, b); }
FANFILL_INLINE F32 fused(F32 a, F32 b, F32 c) { return _mm256_fmadd_ps(a, b, c); }
FANFILL_INLINE __m128 fused_half(__m128i a, F64 k, F64 m) {
  return _mm256_cvtpd_ps(_mm256_fmadd_pd(_mm256_cvtepi32_pd(a), k, m));
}
FANFILL_INLINE F32 fused_wide(U32 a, F64 k, F64 m) {
  const __m128 lower = fused_half(_mm256_castsi256_si128(a), k, m);
  const __m128 upper = fused_half(_mm256_extracti128_si256(a, 1), k, m);
  return _mm256_insertf128_ps(_mm256_castps128_ps256(lower), upper, 1);
}

FANFILL_INLINE F32 tail_of(U32 word, U32 one, U32 top) {
  return from_signed(subtract(top, absolute(operator_or(word, one))));
}
FANFILL_INLINE F32 tail_up_to_sign(U32 word, U32 one, U32 top) { return tail_of(word, one, top); }

// -- 64-bit lanes ------------------------------------------------------------------------------------
FANFILL_INLINE U64 pairs(U32 a) { return a; }
FANFILL_INLINE U64 splat_u64(std::uint64_t v) { return _mm256_set1_epi64x(static_cast<long long>(v)); }
FANFILL_INLINE U64 odd64(U64 a) { return _mm256_or_si256(a, _mm256_set1_epi64x(1)); }
FANFILL_INLINE U64 tail64(U64 s) {
  const __m256i sign = _mm256_cmpgt_epi64(_mm256_setzero_si256(), s);
  const __m256i magnitude = _mm256_sub_epi64(_mm256_xor_si256(s, sign), sign);
  return _mm256_sub_epi64(_mm256_set1_epi64x(INT64_MIN), magnitude);
}
FANFILL_INLINE __m256d upper_mantissas(__m256i a) {
  return _mm256_castsi256_pd(
      _mm256_xor_si256(_mm256_srli_epi64(a, 32), _mm256_set1_epi64x(0x4530000080000000)));
}
FANFILL_INLINE __m256d lower_mantissas(__m256i a) {
  return _mm256_castsi256_pd(_mm256_blend_epi32(a, _mm256_set1_epi64x(0x4330000000000000), 0xAA));
}
FANFILL_INLINE F64 from_signed64(U64 a) {
  // No such instruction before AVX-512: the upper half (signed, biased by 2^31) and the lower half enter the
  // mantissas of 2^84 + 2^63 and 2^52; both are exact, so the last addition is the one rounding.
  const __m256d high = _mm256_sub_pd(upper_mantissas(a), _mm256_set1_pd(0x1.00000801p84));  // and of 2^52
  return _mm256_add_pd(high, lower_mantissas(a));
}
FANFILL_INLINE F64 from_upper(U64 a) {
  return _mm256_sub_pd(upper_mantissas(a), _mm256_set1_pd(0x1.000008p84));
}
FANFILL_INLINE F64 from_lower(U64 a) { return _mm256_sub_pd(lower_mantissas(a), _mm256_set1_pd(0x1p52)); }
FANFILL_INLINE F64 tail_up_to_sign64(U64 word, U64 one, U64) {
  return from_signed64(tail64(_mm256_or_si256(word, one)));
}
FANFILL_INLINE F64 minimum(F64 a, F64 b) { return _mm256_min_pd(a, b); }
FANFILL_INLINE F64 maximum(F64 a, F64 b) { return _mm256_max_pd(a, b); }
FANFILL_INLINE F64 add(F64 a, F64 b) { return _mm256_add_pd(a, b); }
FANFILL_INLINE F64 subtract(F64 a, F64 b) { return _mm256_sub_pd(a, b); }
FANFILL_INLINE F64 multiply(F64 a, F64 b) { return _mm256_mul_pd(a, b); }
FANFILL_INLINE F64 fused(F64 a, F64 b, F64 c) { return _mm256_fmadd_pd(a, b, c); }
FANFILL_INLINE F64 fused_difference(F64 a, F64 b, F64 c) { return _mm256_fmsub_pd(a, b, c); }

// -- The quantile's table ----------------------------------------------------------------------------
// Eight octaves by one permute for each half of an octave; the lower eight octaves hold 1 word in 128.
struct Window {
  __m256i mantissa, one;
  __m256 end, lower;
};
FANFILL_INLINE void load_window(Window& w) {
  w.mantissa = held(_mm256_set1_epi32(0x3FFFFF));
  w.one = held(_mm256_set1_epi32(0x3F800000));
  w.end = held(_mm256_set1_ps(1.5f));
  w.lower = held(_mm256_set1_ps(16777216.0f));  // 2^24
}
FANFILL_INLINE __m256 horner(const float (&table)[kDegree + 1][2][8], __m256i octave, __m256 half, __m256 u) {
  __m256 g = _mm256_setzero_ps();
#pragma GCC unroll 8
  for (int d = kDegree; d >= 0; --d) {
    const __m256 c = _mm256_blendv_ps(_mm256_permutevar8x32_ps(_mm256_load_ps(table[d][0]), octave),
                                      _mm256_permutevar8x32_ps(_mm256_load_ps(table[d][1]), octave), half);
    g = d == kDegree ? c : _mm256_fmadd_ps(g, u, c);
  }
  return g;
}
struct Watch {
  __m256 smallest = _mm256_set1_ps(kSmallArgument);
};
FANFILL_INLINE bool seen(const Watch& watch) {
  return _mm256_movemask_ps(_mm256_cmp_ps(watch.smallest, _mm256_set1_ps(kSmallArgument), _CMP_LT_OQ)) != 0;
}
FANFILL_INLINE F32 quantile(const Window& w, F32 p, Watch& watch) {
  const __m256i b = _mm256_castps_si256(p);
  const __m256i octave = _mm256_srli_epi32(b, 23);
  const __m256 half = _mm256_castsi256_ps(_mm256_slli_epi32(b, 9));  // blend reads the top bit
  const __m256i t = _mm256_or_si256(_mm256_and_si256(b, w.mantissa), w.one);
  const __m256 u = _mm256_sub_ps(w.end, _mm256_castsi256_ps(t));
  __m256 g = horner(kWindow.octaves[0], octave, half, u);
  const __m256 lower = _mm256_cmp_ps(p, w.lower, _CMP_LT_OQ);
  if (__builtin_expect(_mm256_movemask_ps(lower) != 0, 0)) {
    g = _mm256_blendv_ps(g, horner(kWindow.octaves[1], octave, half, u), lower);
    watch.smallest = _mm256_min_ps(watch.smallest, p);
  }
  return g;
}
FANFILL_INLINE void quantile(const Window& w, const F32* p, F32* g, Watch& watch) {
#pragma GCC unroll 2
  for (int i = 0; i < kVectors; ++i) g[i] = quantile(w, p[i], watch);
}
// float64: each lane's row, loaded whole and turned; the whole table, so nothing is outside.
FANFILL_INLINE __m256d two_rows(const double* lower, const double* upper) {
  return _mm256_insertf128_pd(_mm256_castpd128_pd256(_mm_loadu_pd(lower)), _mm_loadu_pd(upper), 1);
}
FANFILL_INLINE void turn(const double* const* row, int at, __m256d* column) {
  const __m256d a = two_rows(row[0] + at, row[2] + at), b = two_rows(row[1] + at, row[3] + at);
  const __m256d c = two_rows(row[0] + at + 2, row[2] + at + 2);
  const __m256d d = two_rows(row[1] + at + 2, row[3] + at + 2);
  column[0] = _mm256_unpacklo_pd(a, b);
  column[1] = _mm256_unpackhi_pd(a, b);
  column[2] = _mm256_unpacklo_pd(c, d);
  column[3] = _mm256_unpackhi_pd(c, d);
}
struct Window64 {};
FANFILL_INLINE void load_window64(Window64&) {}
FANFILL_INLINE F64 quantile64(F64 p) {
  static_assert(kDegree64 == 13, "fourteen coefficients: loads at 0, 4, 8 and 10");
  const __m256i b = _mm256_castpd_si256(p);
  alignas(32) std::uint64_t piece[4];
  _mm256_store_si256(reinterpret_cast<__m256i*>(piece), _mm256_srli_epi64(b, 51));
  const __m256i t = _mm256_or_si256(_mm256_and_si256(b, _mm256_set1_epi64x(0x7FFFFFFFFFFFF)),
                                    _mm256_set1_epi64x(0x3FF0000000000000));
  const __m256d u = _mm256_sub_pd(_mm256_set1_pd(1.5), _mm256_castsi256_pd(t));
  const double* const row[4] = {row64(piece[0]), row64(piece[1]), row64(piece[2]), row64(piece[3])};
  __m256d c[4];
  turn(row, 10, c);
  __m256d g = _mm256_fmadd_pd(c[3], u, c[2]);
#pragma GCC unroll 4
  for (int at = 8; at >= 0; at -= 4) {
    turn(row, at, c);
#pragma GCC unroll 4
    for (int d = 3; d >= 0; --d) g = _mm256_fmadd_pd(g, u, c[d]);
  }
  return g;
}
FANFILL_INLINE void quantile64(const Window64&, F64 p0, F64 p1, F64& g0, F64& g1, bool& outside) {
  g0 = quantile64(p0);
  g1 = quantile64(p1);
  outside = false;
}

// -- Stores ------------------------------------------------------------------------------------------
FANFILL_INLINE void store_vector(void* p, __m256i v, bool streaming) {
  if (streaming)
    _mm256_stream_si256(static_cast<__m256i*>(p), v);
  else
    _mm256_storeu_si256(static_cast<__m256i*>(p), v);
}
FANFILL_INLINE void store_f32(float* p, F32 v, bool streaming) {
  store_vector(p, _mm256_castps_si256(v), streaming);
}
FANFILL_INLINE void store_f64(double* p, F64 v, bool streaming) {
  store_vector(p, _mm256_castpd_si256(v), streaming);
}
FANFILL_INLINE U32 round_bf16(F32 v) {
  const __m256i b = _mm256_castps_si256(v);
  const __m256i odd = _mm256_and_si256(_mm256_srli_epi32(b, 16), _mm256_set1_epi32(1));
  return _mm256_srli_epi32(_mm256_add_epi32(_mm256_add_epi32(b, _mm256_set1_epi32(0x7FFF)), odd), 16);
}
FANFILL_INLINE void store_bf16(std::uint16_t* p, F32 a, F32 b, bool streaming) {
  const __m256i packed = _mm256_packus_epi32(round_bf16(a), round_bf16(b));
  store_vector(p, _mm256_permute4x64_epi64(packed, 0xD8), streaming);
}
FANFILL_INLINE void store_f16(std::uint16_t* p, F32 a, F32 b, bool streaming) {
  const __m128i lo = _mm256_cvtps_ph(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
  const __m128i hi = _mm256_cvtps_ph(b, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
  store_vector(p, _mm256_inserti128_si256(_mm256_castsi128_si256(lo), hi, 1), streaming);
}
template <int kMantissa, int kBias>
FANFILL_INLINE U32 round_f8(F32 v) {  // without the sign
  const __m256 magnitude = _mm256_and_ps(v, _mm256_castsi256_ps(_mm256_set1_epi32(0x7FFFFFFF)));
  const __m256 least = _mm256_castsi256_ps(_mm256_set1_epi32((128 - kBias) << 23));
  const __m256i power =
      _mm256_and_si256(_mm256_castps_si256(_mm256_max_ps(magnitude, least)), _mm256_set1_epi32(0x7F800000));
  const __m256i magic = _mm256_add_epi32(power, _mm256_set1_epi32(kFloat8Magic<kMantissa, kBias>));
  const __m256i sum = _mm256_castps_si256(_mm256_add_ps(magnitude, _mm256_castsi256_ps(magic)));
  return _mm256_and_si256(_mm256_add_epi32(sum, _mm256_srli_epi32(sum, 23 - kMantissa)),
                          _mm256_set1_epi32(0x7F));
}
template <int kMantissa, int kBias>
FANFILL_INLINE void store_f8(std::uint8_t* p, F32 a, F32 b, F32 c, F32 d, bool streaming) {
  const __m256i ab = _mm256_packus_epi32(round_f8<kMantissa, kBias>(a), round_f8<kMantissa, kBias>(b));
  const __m256i cd = _mm256_packus_epi32(round_f8<kMantissa, kBias>(c), round_f8<kMantissa, kBias>(d));
  // Saturating packs keep the sign.
  const __m256i sign_ab = _mm256_packs_epi32(_mm256_castps_si256(a), _mm256_castps_si256(b));
  const __m256i sign_cd = _mm256_packs_epi32(_mm256_castps_si256(c), _mm256_castps_si256(d));
  const __m256i sign =
      _mm256_and_si256(_mm256_packs_epi16(sign_ab, sign_cd), _mm256_set1_epi8(static_cast<char>(0x80)));
  const __m256i order = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);
  const __m256i codes = _mm256_or_si256(_mm256_packus_epi16(ab, cd), sign);
  store_vector(p, _mm256_permutevar8x32_epi32(codes, order), streaming);
}
FANFILL_INLINE void fence() { _mm_sfence(); }

}  // namespace
}  // namespace fanfill
