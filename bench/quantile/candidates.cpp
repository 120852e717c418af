// Times the candidates for the quantile's form: pieces per octave, degree, batches in flight, with and
// without the subtraction that makes u. It must not know the product: it is the experiment of
// docs/design/0002-quantile.md.
#include <immintrin.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>

namespace {

#ifndef PIECES
#define PIECES 2
#endif
#ifndef DEGREE
#define DEGREE 5
#endif
#ifndef BATCHES
#define BATCHES 4
#endif
#ifndef SUBTRACT
#define SUBTRACT 1
#endif

alignas(64) float table[DEGREE + 1][32];

#ifdef __AVX512F__
using I = __m512i;
using F = __m512;
constexpr int kCounters = 8;
I xor3(I a, I b, I c) { return _mm512_ternarylogic_epi64(a, b, c, 0x96); }
I splat64(std::uint64_t v) { return _mm512_set1_epi64(static_cast<long long>(v)); }
I splat(std::uint32_t v) { return _mm512_set1_epi32(static_cast<int>(v)); }
F splat(float v) { return _mm512_set1_ps(v); }
I product(I a, I b) { return _mm512_mul_epu32(a, b); }
I down(I a) { return _mm512_srli_epi64(a, 32); }
I up(I a) { return _mm512_slli_epi64(a, 32); }
I counters(std::uint64_t b) {
  return _mm512_add_epi64(splat64(b), _mm512_setr_epi64(0, 4, 1, 5, 2, 6, 3, 7));
}
F zip(F a, F b, bool second) {
  return second ? _mm512_shuffle_ps(a, b, 0xBB) : _mm512_shuffle_ps(a, b, 0x11);
}
F as_float(I a) { return _mm512_castsi512_ps(a); }
I as_bits(F a) { return _mm512_castps_si512(a); }
F convert(I a) { return _mm512_cvtepi32_ps(a); }
I either(I a, I b) { return _mm512_or_si512(a, b); }
I tail(I s) { return _mm512_sub_epi32(splat(0x80000000u), _mm512_abs_epi32(s)); }
I least(I a, I b) { return _mm512_min_epu32(a, b); }
bool any_below(I a) { return _mm512_cmplt_epu32_mask(a, splat(65536u)) != 0; }
F fused(F a, F b, F c) { return _mm512_fmadd_ps(a, b, c); }
F times(F a, F b) { return _mm512_mul_ps(a, b); }
F minus(F a, F b) { return _mm512_sub_ps(a, b); }
void put(float* p, F v) { _mm512_store_ps(p, v); }
F mantissa(I b, std::uint32_t mask) {
  return as_float(_mm512_ternarylogic_epi32(b, splat(mask), splat(0x3F800000u), 0xEA));
}
F coefficient(int d, I b, F) {
#if PIECES == 2
  return _mm512_permutex2var_ps(_mm512_load_ps(table[d]), _mm512_srli_epi32(b, 22),
                                _mm512_load_ps(table[d] + 16));
#else
  return _mm512_permutexvar_ps(_mm512_srli_epi32(b, 23), _mm512_load_ps(table[d]));
#endif
}
F horner(I b, F u, F) {
  F g = coefficient(DEGREE, b, u);
  for (int d = DEGREE - 1; d >= 0; --d) g = fused(g, u, coefficient(d, b, u));
  return g;
}
#else
using I = __m256i;
using F = __m256;
constexpr int kCounters = 4;
I xor3(I a, I b, I c) { return _mm256_xor_si256(_mm256_xor_si256(a, b), c); }
I splat64(std::uint64_t v) { return _mm256_set1_epi64x(static_cast<long long>(v)); }
I splat(std::uint32_t v) { return _mm256_set1_epi32(static_cast<int>(v)); }
F splat(float v) { return _mm256_set1_ps(v); }
I product(I a, I b) { return _mm256_mul_epu32(a, b); }
I down(I a) { return _mm256_srli_epi64(a, 32); }
I up(I a) { return _mm256_slli_epi64(a, 32); }
I counters(std::uint64_t b) { return _mm256_add_epi64(splat64(b), _mm256_setr_epi64x(0, 2, 1, 3)); }
F zip(F a, F b, bool second) {
  return second ? _mm256_shuffle_ps(a, b, 0xBB) : _mm256_shuffle_ps(a, b, 0x11);
}
F as_float(I a) { return _mm256_castsi256_ps(a); }
I as_bits(F a) { return _mm256_castps_si256(a); }
F convert(I a) { return _mm256_cvtepi32_ps(a); }
I either(I a, I b) { return _mm256_or_si256(a, b); }
I tail(I s) { return _mm256_sub_epi32(splat(0x80000000u), _mm256_abs_epi32(s)); }
I least(I a, I b) { return _mm256_min_epu32(a, b); }
bool any_below(I a) { return _mm256_movemask_epi8(_mm256_cmpeq_epi32(least(a, splat(65535u)), a)) != 0; }
F fused(F a, F b, F c) { return _mm256_fmadd_ps(a, b, c); }
F times(F a, F b) { return _mm256_mul_ps(a, b); }
F minus(F a, F b) { return _mm256_sub_ps(a, b); }
void put(float* p, F v) { _mm256_store_ps(p, v); }
F mantissa(I b, std::uint32_t mask) {
  return as_float(either(_mm256_and_si256(b, splat(mask)), splat(0x3F800000u)));
}
F coefficient(int d, I b, int lower) {
  const I octave = _mm256_srli_epi32(b, 23);
  const F first = _mm256_permutevar8x32_ps(_mm256_load_ps(table[d] + 16 * lower), octave);
#if PIECES == 2
  const F second = _mm256_permutevar8x32_ps(_mm256_load_ps(table[d] + 16 * lower + 8), octave);
  return _mm256_blendv_ps(first, second, as_float(_mm256_slli_epi32(b, 9)));
#else
  return first;
#endif
}
F horner(I b, F u, F p) {  // eight octaves by permute, the lower eight where a lane needs them
  F g = coefficient(DEGREE, b, 0);
  for (int d = DEGREE - 1; d >= 0; --d) g = fused(g, u, coefficient(d, b, 0));
  const F below = _mm256_cmp_ps(p, splat(16777216.0f), _CMP_LT_OQ);
  if (__builtin_expect(_mm256_movemask_ps(below) != 0, 0)) {
    F h = coefficient(DEGREE, b, 1);
    for (int d = DEGREE - 1; d >= 0; --d) h = fused(h, u, coefficient(d, b, 1));
    g = _mm256_blendv_ps(g, h, below);
  }
  return g;
}
#endif

constexpr int kWords = BATCHES * kCounters * 4;

F normal(I word, F k, F mean, I& watch) {
  const I s = either(word, splat(1u)), n = tail(s);
  watch = least(watch, n);
  const F p = convert(n);
  const I b = as_bits(p);
  const F t = mantissa(b, PIECES == 2 ? 0x3FFFFFu : 0x7FFFFFu);
  const F u = SUBTRACT ? minus(splat(PIECES == 2 ? 1.5f : 2.0f), t) : t;
  return fused(horner(b, u, p), times(convert(s), k), mean);
}

__attribute__((noinline)) int fill(std::uint64_t seed, float* out, std::size_t count) {
  I key0[10], key1[10];
  for (unsigned r = 0; r < 10; ++r) {
    key0[r] = splat64(static_cast<std::uint32_t>(seed) + r * 0x9E3779B9u);
    key1[r] = splat64(static_cast<std::uint32_t>(seed >> 32) + r * 0xBB67AE85u);
  }
  const I m0 = splat64(0xD2511F53u), m1 = splat64(0xCD9E8D57u);
  const F k = splat(0x1p-31f), mean = splat(0.0f);
  int rare = 0;
  for (std::size_t at = 0; at < count; at += kWords) {
    I c0[BATCHES], c1[BATCHES], c2[BATCHES], c3[BATCHES];
    for (int j = 0; j < BATCHES; ++j) {
      c0[j] = counters(at / 4 + static_cast<std::size_t>(j * kCounters));
      c1[j] = down(c0[j]);
      c2[j] = c3[j] = splat64(7);
    }
#pragma GCC unroll 10
    for (int r = 0; r < 9; ++r)
      for (int j = 0; j < BATCHES; ++j) {
        const I p0 = product(c0[j], m0), p1 = product(c2[j], m1);
        c0[j] = xor3(down(p1), c1[j], key0[r]);
        c2[j] = xor3(down(p0), c3[j], key1[r]);
        c1[j] = p1;
        c3[j] = p0;
      }
    I watch = splat(~0u);
    for (int j = 0; j < BATCHES; ++j) {
      const I p0 = product(c0[j], m0), p1 = product(c2[j], m1);
      const F a = as_float(xor3(p1, up(c1[j]), up(key0[9]))), b = as_float(xor3(p0, up(c3[j]), up(key1[9])));
      float* to = out + at + static_cast<std::size_t>(j * kCounters * 4);
      put(to, normal(as_bits(zip(a, b, false)), k, mean, watch));
      put(to + kCounters * 2, normal(as_bits(zip(a, b, true)), k, mean, watch));
    }
    rare += any_below(watch);
  }
  return rare;
}

double now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

}  // namespace

int main() {
  for (auto& row : table)
    for (float& c : row) c = 1.0f;
  constexpr std::size_t kCount = std::size_t{1} << 18;
  alignas(64) static float buffer[kCount];
  double best = 1e9;
  int rare = 0;
  for (int i = 0; i < 400; ++i) {
    const double begin = now();
    rare += fill(1, buffer, kCount);
    best = std::min(best, now() - begin);
  }
  std::printf(
      "{\"pieces\": %d, \"degree\": %d, \"batches\": %d, \"subtract\": %d, \"lanes\": %d, "
      "\"values_per_second\": %.4g, \"rare\": %d}\n",
      PIECES, DEGREE, BATCHES, SUBTRACT, kCounters * 2, static_cast<double>(kCount) / best, rare);
}
