// The lanes of plain C++: two 32-bit lanes, one Philox counter. This file defines what each name means.
// It must not know laws; and nothing here may round other than as IEEE 754 says, once per operation.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "../kernel/quantile_window.hpp"
#include "../kernel/rounding.hpp"
#include "../philox.hpp"

#define FANFILL_INLINE inline

namespace fanfill {
namespace {

constexpr int kLanes = 2;     // 32-bit lanes of a vector; 64-bit vectors have half as many
constexpr int kCounters = 1;  // Philox counters side by side; 4 * kCounters words leave a batch in flat order
constexpr int kBatches = 8;   // batches in one group
constexpr int kVectors = 4 * kCounters / kLanes;  // vectors of words in a batch
constexpr bool kStreams = false;                  // whether there are stores past the cache
constexpr bool kPipelines = false;  // whether a group's cipher runs beside the law of the group before

struct U32 {
  std::uint32_t v[2];
};
struct F32 {
  float v[2];
};
struct Mask {
  bool v[2];
};
using U64 = std::uint64_t;
struct F64 {
  double v;
};
using Word = std::uint32_t;
using Product = std::uint64_t;
using Product64 = std::uint64_t;  // where an ISA keeps a product's halves apart: before it does

template <class R, class Op>
FANFILL_INLINE R each(Op op) {
  R r;
  for (int i = 0; i < 2; ++i) r.v[i] = op(i);
  return r;
}

FANFILL_INLINE U32 splat(std::uint32_t v) { return {{v, v}}; }
// A constant that a compiler should keep in a register or in memory and not make anew.
template <class Vector>
FANFILL_INLINE Vector held(Vector v) {
  return v;
}
FANFILL_INLINE F32 splat(float v) { return {{v, v}}; }
FANFILL_INLINE F64 splat(double v) { return {v}; }

// -- Philox: one round is multiply, then high_xor for words 0 and 2, low for words 1 and 3 ---------------
FANFILL_INLINE Word word_splat(std::uint32_t v) { return v; }
FANFILL_INLINE Word key_splat(std::uint32_t v, bool /*last round*/) { return v; }
FANFILL_INLINE void counter_words(std::uint64_t block, Word& c0, Word& c1) {
  c0 = low_half(block);
  c1 = high_half(block);
}
// Of blocks in any order, as many as there are counters.
FANFILL_INLINE void counter_words(const std::uint64_t* blocks, Word& c0, Word& c1) {
  counter_words(*blocks, c0, c1);
}
FANFILL_INLINE Product64 splat64(std::uint64_t v) { return v; }
// m times the counters first, first + 1, ..., in the lanes' order of counters.
FANFILL_INLINE Product64 multiples(std::uint64_t m, std::uint64_t first) { return m * first; }
FANFILL_INLINE Product sum64(Product64 a, Product64 b) { return a + b; }
FANFILL_INLINE Product multiply(Word c, Word m) { return std::uint64_t{c} * m; }
FANFILL_INLINE Word high_xor(Product p, Word c, Word key) { return high_half(p) ^ c ^ key; }
// The same; where a shift and a shuffle both do it, this is the shuffle, so that two ports share the work.
FANFILL_INLINE Word high_xor_shuffled(Product p, Word c, Word key) { return high_xor(p, c, key); }
FANFILL_INLINE Word high_xor(Product p, Word c) { return high_half(p) ^ c; }
FANFILL_INLINE Word xor_words(Word a, Word b) { return a ^ b; }
FANFILL_INLINE Word low(Product p) { return low_half(p); }
// The last round, and its words in flat order.
FANFILL_INLINE void emit(Product p0, Product p1, Word c1, Word c3, Word key0, Word key1, U32* out) {
  out[0] = {{high_xor(p1, c1, key0), low(p1)}};
  out[1] = {{high_xor(p0, c3, key1), low(p0)}};
}

// -- 32-bit lanes ----------------------------------------------------------------------------------------
FANFILL_INLINE U32 load(const std::uint32_t* p) { return {{p[0], p[1]}}; }
FANFILL_INLINE F32 load(const float* p) { return {{p[0], p[1]}}; }
FANFILL_INLINE F64 load(const double* p) { return {*p}; }
FANFILL_INLINE void store(std::uint32_t* p, U32 a) { std::memcpy(p, a.v, sizeof a.v); }
FANFILL_INLINE U32 operator_or(U32 a, U32 b) {
  return each<U32>([&](int i) { return a.v[i] | b.v[i]; });
}
FANFILL_INLINE U32 operator_xor(U32 a, U32 b) {
  return each<U32>([&](int i) { return a.v[i] ^ b.v[i]; });
}
FANFILL_INLINE U32 subtract(U32 a, U32 b) {  // modulo 2^32
  return each<U32>([&](int i) { return a.v[i] - b.v[i]; });
}
FANFILL_INLINE U32 absolute(U32 a) {  // of a signed lane; -2^31 gives 2^31
  return each<U32>([&](int i) { return (a.v[i] >> 31) != 0 ? 0u - a.v[i] : a.v[i]; });
}
FANFILL_INLINE Mask less_equal(U32 a, U32 b) {  // unsigned
  return each<Mask>([&](int i) { return a.v[i] <= b.v[i]; });
}
FANFILL_INLINE Mask both(Mask a, Mask b) {
  return each<Mask>([&](int i) { return a.v[i] && b.v[i]; });
}
FANFILL_INLINE Mask all_or_none(bool v) { return {{v, v}}; }
FANFILL_INLINE U32 select(Mask m, U32 yes, U32 no) {
  return each<U32>([&](int i) { return m.v[i] ? yes.v[i] : no.v[i]; });
}
FANFILL_INLINE F32 select(Mask m, F32 yes, F32 no) {
  return each<F32>([&](int i) { return m.v[i] ? yes.v[i] : no.v[i]; });
}
FANFILL_INLINE F32 from_signed(U32 a) {  // rounded once, to nearest even
  return each<F32>([&](int i) { return static_cast<float>(static_cast<std::int32_t>(a.v[i])); });
}
FANFILL_INLINE F32 from_unsigned(U32 a) {  // rounded once, to nearest even
  return each<F32>([&](int i) { return static_cast<float>(a.v[i]); });
}
FANFILL_INLINE F32 minimum(F32 a, F32 b) {  // b unless a is less
  return each<F32>([&](int i) { return a.v[i] < b.v[i] ? a.v[i] : b.v[i]; });
}
FANFILL_INLINE F32 maximum(F32 a, F32 b) {  // b unless a is greater
  return each<F32>([&](int i) { return a.v[i] > b.v[i] ? a.v[i] : b.v[i]; });
}
FANFILL_INLINE F32 within(F32 v, F32 limit) {  // clamped to +-limit
  return each<F32>([&](int i) {
    const float raised = v.v[i] > -limit.v[i] ? v.v[i] : -limit.v[i];
    return raised < limit.v[i] ? raised : limit.v[i];
  });
}
FANFILL_INLINE F32 multiply(F32 a, F32 b) {
  return each<F32>([&](int i) { return a.v[i] * b.v[i]; });
}
FANFILL_INLINE F32 fused(F32 a, F32 b, F32 c) {  // a * b + c, rounded once
  return each<F32>([&](int i) { return fma(a.v[i], b.v[i], c.v[i]); });
}
// signed * k + m in float64, rounded once there and once to float32.
FANFILL_INLINE F32 fused_wide(U32 a, F64 k, F64 m) {
  return each<F32>([&](int i) {
    return static_cast<float>(fma(static_cast<double>(static_cast<std::int32_t>(a.v[i])), k.v, m.v));
  });
}

// n = 2^31 - |word | 1|, rounded. one and top are 1 and 2^31.
FANFILL_INLINE F32 tail_of(U32 word, U32 one, U32 top) {
  return from_signed(subtract(top, absolute(operator_or(word, one))));
}
// The same with either sign, which the quantile doesn't see.
FANFILL_INLINE F32 tail_up_to_sign(U32 word, U32 one, U32 top) { return tail_of(word, one, top); }

// -- 64-bit lanes ----------------------------------------------------------------------------------------
FANFILL_INLINE U64 pairs(U32 a) { return (std::uint64_t{a.v[1]} << 32) | a.v[0]; }  // two words, low first
FANFILL_INLINE U64 splat_u64(std::uint64_t v) { return v; }
FANFILL_INLINE U64 odd64(U64 a) { return a | 1; }
FANFILL_INLINE U64 tail64(U64 s) {  // 2^63 - |s|
  return (std::uint64_t{1} << 63) - ((s >> 63) != 0 ? 0 - s : s);
}
FANFILL_INLINE F64 from_signed64(U64 a) { return {static_cast<double>(static_cast<std::int64_t>(a))}; }
// What the two halves of a signed lane stand for: both exact, and their sum is the lane.
FANFILL_INLINE F64 from_upper(U64 a) { return from_signed64(a & 0xFFFFFFFF00000000u); }
FANFILL_INLINE F64 from_lower(U64 a) { return from_signed64(a & 0xFFFFFFFFu); }
// The same, up to its sign; one and top are 1 and 2^63.
FANFILL_INLINE F64 tail_up_to_sign64(U64 word, U64 one, U64) { return from_signed64(tail64(word | one)); }
FANFILL_INLINE F64 minimum(F64 a, F64 b) { return a.v < b.v ? a : b; }
FANFILL_INLINE F64 maximum(F64 a, F64 b) { return a.v > b.v ? a : b; }
FANFILL_INLINE F64 add(F64 a, F64 b) { return {a.v + b.v}; }
FANFILL_INLINE F64 subtract(F64 a, F64 b) { return {a.v - b.v}; }
FANFILL_INLINE F64 multiply(F64 a, F64 b) { return {a.v * b.v}; }
FANFILL_INLINE F64 fused(F64 a, F64 b, F64 c) { return {fma(a.v, b.v, c.v)}; }
FANFILL_INLINE F64 fused_difference(F64 a, F64 b, F64 c) { return {fma(a.v, b.v, -c.v)}; }  // a * b - c

// -- The quantile's table: G at P = p * 2^31 in [2^16, 2^32), and at p * 2^63 in [1, 2^64) -----------------
struct Window {};
FANFILL_INLINE void load_window(Window&) {}
// Whether an argument below kSmallArgument went by.
struct Watch {
  std::uint32_t shared = ~0u;
};
FANFILL_INLINE bool seen(const Watch& watch) { return (~watch.shared & kLargeArgumentBits) != 0; }
FANFILL_INLINE F32 quantile(F32 p) {
  return each<F32>([&](int i) {
    const std::uint32_t b = bits_of(p.v[i]);
    const float u = 1.5f - float_of((b & 0x3FFFFFu) | 0x3F800000u);
    const std::uint32_t slot = (b >> 22) & 31;
    float g = kWindow.interleaved[kDegree][slot];
    for (int d = kDegree - 1; d >= 0; --d) g = fma(g, u, kWindow.interleaved[d][slot]);
    return g;
  });
}
// Of a batch.
FANFILL_INLINE void quantile(const Window&, const F32* p, F32* g, Watch& watch) {
  for (int i = 0; i < kVectors; ++i) {
    watch.shared &= bits_of(p[i].v[0]) & bits_of(p[i].v[1]);
    g[i] = quantile(p[i]);
  }
}
struct Window64 {};
FANFILL_INLINE void load_window64(Window64&) {}
FANFILL_INLINE F64 quantile64(F64 p) {
  const std::uint64_t b = bits_of(p.v);
  const double u = 1.5 - double_of((b & 0x7FFFFFFFFFFFFu) | 0x3FF0000000000000u);
  const double* c = row64(b >> 51);
  double g = c[kDegree64];
  for (int d = kDegree64 - 1; d >= 0; --d) g = fma(g, u, c[d]);
  return {g};
}
// Two vectors at a time; `outside` asks for another look at what a register-held table does not cover.
FANFILL_INLINE void quantile64(const Window64&, F64 p0, F64 p1, F64& g0, F64& g1, bool& outside) {
  g0 = quantile64(p0);
  g1 = quantile64(p1);
  outside = false;
}

// -- Stores: contiguous; a streaming store may bypass the cache, here it is an ordinary one -----------------
FANFILL_INLINE void store_f32(float* p, F32 a, bool) { std::memcpy(p, a.v, sizeof a.v); }
FANFILL_INLINE void store_f64(double* p, F64 a, bool) { *p = a.v; }
FANFILL_INLINE void store_bf16(std::uint16_t* p, F32 a, F32 b, bool) {
  for (int i = 0; i < 4; ++i) p[i] = bf16_code(i < 2 ? a.v[i] : b.v[i - 2]);
}
FANFILL_INLINE void store_f16(std::uint16_t* p, F32 a, F32 b, bool) {
  for (int i = 0; i < 4; ++i) p[i] = f16_code(i < 2 ? a.v[i] : b.v[i - 2]);
}
template <int kMantissa, int kBias>
FANFILL_INLINE void store_f8(std::uint8_t* p, F32 a, F32 b, F32 c, F32 d, bool) {
  const F32 all[4] = {a, b, c, d};
  for (int i = 0; i < 8; ++i) p[i] = f8_code<kMantissa, kBias>(all[i / 2].v[i % 2]);
}
FANFILL_INLINE void fence() {}

}  // namespace
}  // namespace fanfill
