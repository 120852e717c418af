// The lanes of AVX-512 (F, BW, DQ, VL): sixteen 32-bit lanes, eight Philox counters in 64-bit lanes.
// It must not know laws or memory layouts beyond contiguous vectors; scalar.hpp defines what each name means.
#pragma once

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wuninitialized"  // GCC 12 warns of its own _mm512_undefined_epi32
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#include <immintrin.h>
#pragma GCC diagnostic pop

#include <cstddef>
#include <cstdint>

#include "../kernel/quantile_window.hpp"
#include "../kernel/rounding.hpp"

#define FANFILL_INLINE inline __attribute__((always_inline))

namespace fanfill {
namespace {

constexpr int kLanes = 16;
constexpr int kCounters = 8;
constexpr int kBatches = 4;  // independent Philox batches in flight: hides the multiply's latency
constexpr int kVectors = 4 * kCounters / kLanes;
constexpr bool kStreams = true;  // whether there are stores past the cache
constexpr bool kPipelines = true;

using U32 = __m512i;
using U64 = __m512i;
using F32 = __m512;
using F64 = __m512d;
using Word = __m512i;  // one Philox word of eight counters, in the low halves; the upper halves are ignored
using Product = __m512i;
using Product64 = __m512i;  // a product before its halves are taken apart
using Mask = __mmask16;

FANFILL_INLINE U32 splat(std::uint32_t v) { return _mm512_set1_epi32(static_cast<int>(v)); }
// A constant that the compiler can't see through: it keeps it, where GCC would rebuild it in every turn of a
// loop.
template <class Vector>
FANFILL_INLINE Vector held(Vector v) {
  __asm__("" : "+v"(v));
  return v;
}
FANFILL_INLINE F32 splat(float v) { return _mm512_set1_ps(v); }
FANFILL_INLINE F64 splat(double v) { return _mm512_set1_pd(v); }

// -- Philox ------------------------------------------------------------------------------------------
FANFILL_INLINE Word word_splat(std::uint32_t v) { return _mm512_set1_epi64(static_cast<long long>(v)); }
FANFILL_INLINE Word key_splat(std::uint32_t v, bool last) {
  return _mm512_set1_epi64(static_cast<long long>(last ? std::uint64_t{v} << 32 : std::uint64_t{v}));
}
FANFILL_INLINE void counter_words(std::uint64_t block, Word& c0, Word& c1) {
  // This order of counters makes the last shuffle yield flat order.
  const __m512i order = _mm512_setr_epi64(0, 4, 1, 5, 2, 6, 3, 7);
  c0 = _mm512_add_epi64(_mm512_set1_epi64(static_cast<long long>(block)), order);
  c1 = _mm512_srli_epi64(c0, 32);
}
FANFILL_INLINE void counter_words(const std::uint64_t* blocks, Word& c0, Word& c1) {
  const __m512i order = _mm512_setr_epi64(0, 4, 1, 5, 2, 6, 3, 7);
  c0 = _mm512_permutexvar_epi64(order, _mm512_loadu_si512(blocks));
  c1 = _mm512_srli_epi64(c0, 32);
}
FANFILL_INLINE Product64 splat64(std::uint64_t v) { return _mm512_set1_epi64(static_cast<long long>(v)); }
FANFILL_INLINE Product64 multiples(std::uint64_t m, std::uint64_t first) {
  const __m512i c = _mm512_add_epi64(splat64(first), _mm512_setr_epi64(0, 4, 1, 5, 2, 6, 3, 7));
  return _mm512_mul_epu32(c, splat64(m));
}
FANFILL_INLINE Product sum64(Product64 a, Product64 b) { return _mm512_add_epi64(a, b); }
FANFILL_INLINE Product multiply(Word c, Word m) { return _mm512_mul_epu32(c, m); }
FANFILL_INLINE Word high_xor(Product p, Word c, Word key) {
  return _mm512_ternarylogic_epi64(_mm512_srli_epi64(p, 32), c, key, 0x96);
}
FANFILL_INLINE Word high_xor_shuffled(Product p, Word c, Word key) {
  return _mm512_ternarylogic_epi64(_mm512_shuffle_epi32(p, static_cast<_MM_PERM_ENUM>(0xF5)), c, key, 0x96);
}
FANFILL_INLINE Word high_xor(Product p, Word c) { return _mm512_xor_si512(_mm512_srli_epi64(p, 32), c); }
FANFILL_INLINE Word xor_words(Word a, Word b) { return _mm512_xor_si512(a, b); }
FANFILL_INLINE Word low(Product p) { return p; }
FANFILL_INLINE void emit(Product p0, Product p1, Word c1, Word c3, Word key0, Word key1, U32* out) {
  // Each product holds two finished words side by side once the other operand is shifted up.
  const __m512 a = _mm512_castsi512_ps(_mm512_ternarylogic_epi64(p1, _mm512_slli_epi64(c1, 32), key0, 0x96));
  const __m512 b = _mm512_castsi512_ps(_mm512_ternarylogic_epi64(p0, _mm512_slli_epi64(c3, 32), key1, 0x96));
  out[0] = _mm512_castps_si512(_mm512_shuffle_ps(a, b, 0x11));
  out[1] = _mm512_castps_si512(_mm512_shuffle_ps(a, b, 0xBB));
}

// -- 32-bit lanes ------------------------------------------------------------------------------------
FANFILL_INLINE U32 load(const std::uint32_t* p) { return _mm512_loadu_si512(p); }
FANFILL_INLINE F32 load(const float* p) { return _mm512_loadu_ps(p); }
FANFILL_INLINE F64 load(const double* p) { return _mm512_loadu_pd(p); }
FANFILL_INLINE void store(std::uint32_t* p, U32 v) { _mm512_storeu_si512(p, v); }
FANFILL_INLINE U32 operator_or(U32 a, U32 b) { return _mm512_or_si512(a, b); }
FANFILL_INLINE U32 operator_xor(U32 a, U32 b) { return _mm512_xor_si512(a, b); }
FANFILL_INLINE U32 subtract(U32 a, U32 b) { return _mm512_sub_epi32(a, b); }
FANFILL_INLINE U32 absolute(U32 a) { return _mm512_abs_epi32(a); }
FANFILL_INLINE Mask less_equal(U32 a, U32 b) { return _mm512_cmple_epu32_mask(a, b); }
FANFILL_INLINE Mask both(Mask a, Mask b) { return static_cast<Mask>(a & b); }
FANFILL_INLINE Mask all_or_none(bool v) { return static_cast<Mask>(v ? 0xFFFF : 0); }
FANFILL_INLINE U32 select(Mask m, U32 yes, U32 no) { return _mm512_mask_blend_epi32(m, no, yes); }
FANFILL_INLINE F32 select(Mask m, F32 yes, F32 no) { return _mm512_mask_blend_ps(m, no, yes); }
FANFILL_INLINE F32 from_signed(U32 a) { return _mm512_cvtepi32_ps(a); }
FANFILL_INLINE F32 from_unsigned(U32 a) { return _mm512_cvtepu32_ps(a); }
FANFILL_INLINE F32 minimum(F32 a, F32 b) { return _mm512_min_ps(a, b); }
FANFILL_INLINE F32 maximum(F32 a, F32 b) { return _mm512_max_ps(a, b); }
FANFILL_INLINE F32 within(F32 v, F32 limit) { return _mm512_range_ps(v, limit, 0x2); }
FANFILL_INLINE F32 multiply(F32 a, F32 b) { return _mm512_mul_ps(a, b); }
FANFILL_INLINE F32 fused(F32 a, F32 b, F32 c) { return _mm512_fmadd_ps(a, b, c); }
FANFILL_INLINE __m256 fused_half(__m256i a, F64 k, F64 m) {
  return _mm512_cvtpd_ps(_mm512_fmadd_pd(_mm512_cvtepi32_pd(a), k, m));
}
FANFILL_INLINE F32 fused_wide(U32 a, F64 k, F64 m) {
  const __m256 lower = fused_half(_mm512_castsi512_si256(a), k, m);
  const __m256 upper = fused_half(_mm512_extracti64x4_epi64(a, 1), k, m);
  return _mm512_insertf32x8(_mm512_castps256_ps512(lower), upper, 1);
}

// (word | 1) ^ 2^31 is n up to its sign, in one instruction; the sign does no harm, for the permute and the
// mantissa do not see it.
FANFILL_INLINE F32 tail_up_to_sign(U32 word, U32 one, U32 top) {
  return _mm512_cvtepi32_ps(_mm512_ternarylogic_epi32(word, one, top, 0x56));
}

FANFILL_INLINE F32 tail_of(U32 word, U32 one, U32 top) {
  return _mm512_abs_ps(tail_up_to_sign(word, one, top));
}

// -- 64-bit lanes ------------------------------------------------------------------------------------
FANFILL_INLINE U64 pairs(U32 a) { return a; }
FANFILL_INLINE U64 splat_u64(std::uint64_t v) { return _mm512_set1_epi64(static_cast<long long>(v)); }
FANFILL_INLINE U64 odd64(U64 a) { return _mm512_or_si512(a, _mm512_set1_epi64(1)); }
FANFILL_INLINE U64 tail64(U64 s) {
  return _mm512_sub_epi64(_mm512_set1_epi64(INT64_MIN), _mm512_abs_epi64(s));
}
FANFILL_INLINE F64 from_signed64(U64 a) { return _mm512_cvtepi64_pd(a); }
FANFILL_INLINE F64 from_upper(U64 a) {
  return from_signed64(_mm512_and_si512(a, _mm512_set1_epi64(static_cast<long long>(0xFFFFFFFF00000000u))));
}
FANFILL_INLINE F64 from_lower(U64 a) {
  return from_signed64(_mm512_and_si512(a, _mm512_set1_epi64(0xFFFFFFFF)));
}
FANFILL_INLINE F64 tail_up_to_sign64(U64 word, U64 one, U64 top) {
  return _mm512_cvtepi64_pd(_mm512_ternarylogic_epi64(word, one, top, 0x56));
}
FANFILL_INLINE F64 minimum(F64 a, F64 b) { return _mm512_min_pd(a, b); }
FANFILL_INLINE F64 maximum(F64 a, F64 b) { return _mm512_max_pd(a, b); }
FANFILL_INLINE F64 add(F64 a, F64 b) { return _mm512_add_pd(a, b); }
FANFILL_INLINE F64 subtract(F64 a, F64 b) { return _mm512_sub_pd(a, b); }
FANFILL_INLINE F64 multiply(F64 a, F64 b) { return _mm512_mul_pd(a, b); }
FANFILL_INLINE F64 fused(F64 a, F64 b, F64 c) { return _mm512_fmadd_pd(a, b, c); }
FANFILL_INLINE F64 fused_difference(F64 a, F64 b, F64 c) { return _mm512_fmsub_pd(a, b, c); }

// -- The quantile's table ----------------------------------------------------------------------------
// float32: sixteen octaves of two pieces, [2^16, 2^32), one two-register permute a coefficient.
struct Window {
  __m512 low[kDegree + 1], high[kDegree + 1];
  __m512i mantissa, one;
  __m512 end;
};
FANFILL_INLINE void load_window(Window& w) {
  for (int d = 0; d <= kDegree; ++d) {
    w.low[d] = _mm512_load_ps(kWindow.interleaved[d]);
    w.high[d] = _mm512_load_ps(kWindow.interleaved[d] + 16);
  }
  w.mantissa = held(_mm512_set1_epi32(0x3FFFFF));
  w.one = held(_mm512_set1_epi32(0x3F800000));
  w.end = held(_mm512_set1_ps(1.5f));
}
FANFILL_INLINE F32 quantile(const Window& w, F32 p) {
  const __m512i b = _mm512_castps_si512(p);
  const __m512i piece = _mm512_srli_epi32(b, 22);  // the permute reads five bits: octave, then half
  const __m512 t = _mm512_castsi512_ps(_mm512_ternarylogic_epi32(b, w.mantissa, w.one, 0xEA));
  const __m512 u = _mm512_sub_ps(w.end, t);
  __m512 g = _mm512_permutex2var_ps(w.low[kDegree], piece, w.high[kDegree]);
#pragma GCC unroll 8
  for (int d = kDegree - 1; d >= 0; --d)
    g = _mm512_fmadd_ps(g, u, _mm512_permutex2var_ps(w.low[d], piece, w.high[d]));
  return g;
}
struct Watch {
  __m512i shared = _mm512_set1_epi32(-1);
};
FANFILL_INLINE bool seen(const Watch& watch) {
  const __m512i large = _mm512_set1_epi32(static_cast<int>(kLargeArgumentBits));
  return _mm512_test_epi32_mask(_mm512_andnot_si512(watch.shared, large), large) != 0;
}
FANFILL_INLINE void quantile(const Window& w, const F32* p, F32* g, Watch& watch) {
  static_assert(kVectors == 2, "one instruction watches two vectors");
  watch.shared =
      _mm512_ternarylogic_epi32(watch.shared, _mm512_castps_si512(p[0]), _mm512_castps_si512(p[1]), 0x80);
  g[0] = quantile(w, p[0]);
  g[1] = quantile(w, p[1]);
}
// float64: eight octaves of two pieces, [2^56, 2^64) in units of n, one two-register permute a coefficient;
// two vectors at a time share the loads of the table. `outside` tells of octaves that it does not hold.
struct Window64 {
  __m512i mantissa, one;
  __m512d end, begin;
};
FANFILL_INLINE void load_window64(Window64& w) {
  w.mantissa = held(_mm512_set1_epi64(0x7FFFFFFFFFFFF));
  w.one = held(_mm512_set1_epi64(0x3FF0000000000000));
  w.end = held(_mm512_set1_pd(1.5));
  w.begin = held(_mm512_set1_pd(kWindowBegin64));
}
FANFILL_INLINE __m512d variable64(const Window64& w, __m512i b) {
  return _mm512_sub_pd(w.end, _mm512_castsi512_pd(_mm512_ternarylogic_epi64(b, w.mantissa, w.one, 0xEA)));
}
FANFILL_INLINE void quantile64(const Window64& w, F64 p0, F64 p1, F64& g0, F64& g1, bool& outside) {
  const __m512i b0 = _mm512_castpd_si512(p0), b1 = _mm512_castpd_si512(p1);
  const __m512i piece0 = _mm512_srli_epi64(b0, 51), piece1 = _mm512_srli_epi64(b1, 51);
  const __m512d u0 = variable64(w, b0), u1 = variable64(w, b1);
  g0 = g1 = _mm512_setzero_pd();
#pragma GCC unroll 16
  for (int d = kDegree64; d >= 0; --d) {
    const __m512d low = _mm512_load_pd(kWindow64.interleaved[d]);
    const __m512d high = _mm512_load_pd(kWindow64.interleaved[d] + 8);
    const __m512d c0 = _mm512_permutex2var_pd(low, piece0, high),
                  c1 = _mm512_permutex2var_pd(low, piece1, high);
    g0 = d == kDegree64 ? c0 : _mm512_fmadd_pd(g0, u0, c0);
    g1 = d == kDegree64 ? c1 : _mm512_fmadd_pd(g1, u1, c1);
  }
  outside = _mm512_cmp_pd_mask(_mm512_range_pd(p0, p1, 0xA), w.begin, _CMP_LT_OQ) != 0;
}

// -- Stores ------------------------------------------------------------------------------------------
FANFILL_INLINE void store_vector(void* p, __m512i v, bool streaming) {
  if (streaming)
    _mm512_stream_si512(static_cast<__m512i*>(p), v);
  else
    _mm512_storeu_si512(p, v);
}
FANFILL_INLINE void store_f32(float* p, F32 v, bool streaming) {
  store_vector(p, _mm512_castps_si512(v), streaming);
}
FANFILL_INLINE void store_f64(double* p, F64 v, bool streaming) {
  store_vector(p, _mm512_castpd_si512(v), streaming);
}
// The upper or the lower halves of the lanes of two vectors, in order.
FANFILL_INLINE __m512i upper_halves(__m512i a, __m512i b) {
  const __m512i order = _mm512_set_epi16(63, 61, 59, 57, 55, 53, 51, 49, 47, 45, 43, 41, 39, 37, 35, 33, 31,
                                         29, 27, 25, 23, 21, 19, 17, 15, 13, 11, 9, 7, 5, 3, 1);
  return _mm512_permutex2var_epi16(a, order, b);
}
FANFILL_INLINE __m512i lower_halves(__m512i a, __m512i b) {
  const __m512i order = _mm512_set_epi16(62, 60, 58, 56, 54, 52, 50, 48, 46, 44, 42, 40, 38, 36, 34, 32, 30,
                                         28, 26, 24, 22, 20, 18, 16, 14, 12, 10, 8, 6, 4, 2, 0);
  return _mm512_permutex2var_epi16(a, order, b);
}
FANFILL_INLINE void store_bf16(std::uint16_t* p, F32 a, F32 b, bool streaming) {
  const __m512i upper = upper_halves(_mm512_castps_si512(a), _mm512_castps_si512(b));
  const __m512i lower = lower_halves(_mm512_castps_si512(a), _mm512_castps_si512(b));
  // (lower + 0x7FFF + the upper's last bit) / 2, whose top bit is the carry.
  const __m512i addend =
      _mm512_ternarylogic_epi32(upper, _mm512_set1_epi16(1), _mm512_set1_epi16(0x7FFE), 0xEA);
  const __m512i carry = _mm512_srli_epi16(_mm512_avg_epu16(lower, addend), 15);
  store_vector(p, _mm512_add_epi16(upper, carry), streaming);
}
FANFILL_INLINE void store_f16(std::uint16_t* p, F32 a, F32 b, bool streaming) {
  const __m256i lo = _mm512_cvtps_ph(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
  const __m256i hi = _mm512_cvtps_ph(b, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
  store_vector(p, _mm512_inserti64x4(_mm512_castsi256_si512(lo), hi, 1), streaming);
}
// A float8 format by its mantissa bits; see scalar.hpp for the arithmetic.
template <int kMantissa, int kBias>
FANFILL_INLINE U32 rounded_f8(F32 v) {  // the sum: sign, exponent and, in the lower half, quanta
  const __m512 least = _mm512_castsi512_ps(_mm512_set1_epi32((128 - kBias) << 23));
  const __m512i power = _mm512_and_si512(_mm512_castps_si512(_mm512_range_ps(v, least, 0x3)),
                                         _mm512_set1_epi32(static_cast<int>(0xFF800000u)));
  const __m512i magic = _mm512_add_epi32(power, _mm512_set1_epi32(kFloat8Magic<kMantissa, kBias>));
  return _mm512_castps_si512(_mm512_add_ps(v, _mm512_castsi512_ps(magic)));
}
template <int kMantissa>
FANFILL_INLINE __m512i codes_f8(__m512i a, __m512i b) {
  const __m512i upper = upper_halves(a, b);
  const __m512i code = _mm512_add_epi16(_mm512_srli_epi16(upper, 7 - kMantissa), lower_halves(a, b));
  return _mm512_ternarylogic_epi32(code, _mm512_srli_epi16(upper, 8), _mm512_set1_epi16(0x7F), 0xE4);
}
template <int kMantissa, int kBias>
FANFILL_INLINE void store_f8(std::uint8_t* p, F32 a, F32 b, F32 c, F32 d, bool streaming) {
  const __m512i ab = codes_f8<kMantissa>(rounded_f8<kMantissa, kBias>(a), rounded_f8<kMantissa, kBias>(b));
  const __m512i cd = codes_f8<kMantissa>(rounded_f8<kMantissa, kBias>(c), rounded_f8<kMantissa, kBias>(d));
  const __m512i order = _mm512_setr_epi64(0, 2, 4, 6, 1, 3, 5, 7);
  store_vector(p, _mm512_permutexvar_epi64(order, _mm512_packus_epi16(ab, cd)), streaming);
}
FANFILL_INLINE void fence() { _mm_sfence(); }

}  // namespace
}  // namespace fanfill
