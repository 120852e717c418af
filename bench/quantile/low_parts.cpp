// What the normal's law would gain from the bits that float32 drops before its last operation: every word
// through the shipped form and through forms that carry them. It must not know lanes or the package.
//
//   g++ -O3 -march=native -ffp-contract=off -I csrc bench/quantile/low_parts.cpp -o low_parts
//   ./low_parts [std]
#include <immintrin.h>

#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "kernel/quantile_table.hpp"

namespace {

using fanfill::kQuantile;

constexpr double kWords = 2147483648.0;  // those of one sign
constexpr double kReach = 4.1;           // sigmas: beyond, words have tail words

float of_bits(std::uint32_t b) {
  float f;
  std::memcpy(&f, &b, sizeof f);
  return f;
}
std::uint32_t bits_of(float f) {
  std::uint32_t b;
  std::memcpy(&b, &f, sizeof b);
  return b;
}
std::uint32_t bf16_code(float v) {
  const std::uint32_t b = bits_of(v);
  return (b + 0x7FFF + ((b >> 16) & 1)) >> 16;
}
std::uint32_t f16_code(float v) { return static_cast<unsigned short>(_cvtss_sh(v, 0)); }
float bf16_value(std::uint32_t code) { return of_bits(code << 16); }
float f16_value(std::uint32_t code) { return _cvtsh_ss(static_cast<unsigned short>(code)); }

enum class Form { kShipped, kLowOfS, kLowOfBoth, kFloat64, kCount };
constexpr const char* kNames[] = {"as shipped", "low part of s", "low parts of s and G", "in float64"};

// The value of s > 0: |s| 2^-31 is 1 - p.
float value_of(Form form, std::uint32_t s, float k) {
  const std::uint32_t b = bits_of(static_cast<float>(0x80000000u - s));
  const float* c = kQuantile[static_cast<int>(b >> 23) - 127 - 31 - fanfill::kFirstOctave][(b >> 22) & 1];
  const float u = 1.5f - of_bits((b & 0x3FFFFF) | 0x3F800000);
  if (form == Form::kFloat64) {
    double g = c[5];
    for (int d = 4; d >= 0; --d) g = std::fma(g, static_cast<double>(u), static_cast<double>(c[d]));
    return static_cast<float>(g * s * k);
  }
  float q = c[5];
  for (int d = 4; d >= 1; --d) q = std::fmaf(q, u, c[d]);
  const float high = static_cast<float>(s), step = high * k, g = std::fmaf(q, u, c[0]);
  if (form == Form::kShipped) return g * step;
  const float low = static_cast<float>(static_cast<std::int64_t>(s) - static_cast<std::int64_t>(high));
  const float rest = std::fmaf(low, k, std::fmaf(high, k, -step));
  if (form == Form::kLowOfS) return std::fmaf(g, step, g * rest);
  return std::fmaf(step, c[0], std::fmaf(rest, c[0], step * (q * u)));
}

// Half the sum over both signs of |P(code) - its words|, against the normal rounded to float32 and then once
// more, half to even: the edge of two cells lies half an ulp of float32 off their middle.
template <class Value>
double total_variation(const std::vector<std::uint64_t>& words, Value value, double std) {
  double sum = 0, above = 0.5;
  for (std::uint32_t code = 0; value(code) <= kReach * std; ++code) {
    const float middle = (value(code) + value(code + 1)) / 2;
    const float next = std::nextafterf(middle, code % 2 == 0 ? INFINITY : 0.0f);
    const double edge = (static_cast<double>(middle) + next) / 2;
    const double beyond = 0.5 * std::erfc(edge / std / std::sqrt(2.0));
    sum += std::fabs(above - beyond - static_cast<double>(words[code]) / kWords);
    above = beyond;
  }
  return sum;
}

}  // namespace

int main(int argc, char** argv) {
  const float std = argc > 1 ? std::strtof(argv[1], nullptr) : 1.0f;
  for (int form = 0; form < static_cast<int>(Form::kCount); ++form) {
    std::vector<std::uint64_t> bf16(1 << 15), f16(1 << 15);
    std::uint64_t falls = 0;
    float before = 0;
    for (std::uint32_t s = 1; s < 0x80000000u; s += 2) {  // each stands for two words
      const float value = value_of(static_cast<Form>(form), s, std * 0x1p-31f);
      falls += value < before;
      before = value;
      ++bf16[bf16_code(value)];
      ++f16[f16_code(value)];
    }
    std::printf("%-22s total variation: bfloat16 %.2e, float16 %.2e; values below the one before: %llu\n",
                kNames[form], total_variation(bf16, bf16_value, std), total_variation(f16, f16_value, std),
                static_cast<unsigned long long>(falls));
  }
  return 0;
}
