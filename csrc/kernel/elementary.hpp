// Elementary functions of one float64 from operations that IEEE 754 rounds, and the laws' maps made of them.
// It must not know laws, dtypes or vectors; docs/contract.md, section 9, says what each computes, op by op.
#pragma once

#include <cstdint>

#include "../include/fanfill/fanfill.hpp"
#include "elementary_table.hpp"
#include "rounding.hpp"

namespace fanfill {
namespace {

// ln v for v > 0: v = 2^e m with m in [1/sqrt 2, sqrt 2), ln m = 2 artanh((m - 1) / (m + 1)). Relative error
// 3e-16.
inline double logarithm(double v) {
  // Less the bits above 1/sqrt 2, so that the exponent counts from there.
  const std::uint64_t b = bits_of(v) - 0x3FE6A09E667F3BCEu;
  const int e = static_cast<int>(static_cast<std::int64_t>(b) >> 52);
  const double m = double_of((b & 0xFFFFFFFFFFFFFu) + 0x3FE6A09E667F3BCEu);
  const double y = (m - 1.0) / (m + 1.0), y2 = y * y;
  double sum = 0.0;
#pragma GCC unroll 12
  for (int i = 25; i >= 3; i -= 2) sum = fma(sum, y2, 1.0 / i);
  const double series = 2.0 * y + 2.0 * y * (y2 * sum);
  return fma(static_cast<double>(e), 0x1.62e42fefa39efp-1,
             fma(static_cast<double>(e), 0x1.abc9e3b39803fp-56, series));
}

// 2^(high + low) for |high| <= 1100 and a low that is the rest of a sum: 2^k (1 + f q(f)), f in [0, 1].
// Relative error 2e-16. It never falls as high + low rises.
inline double power_of_two(double high, double low) {
  int k = static_cast<int>(high);
  if (static_cast<double>(k) > high) --k;
  const double f = (high - static_cast<double>(k)) + low;
  double q = kExp2[kDegreeExp2];
#pragma GCC unroll 16
  for (int d = kDegreeExp2 - 1; d >= 0; --d) q = fma(q, f, kExp2[d]);
  const int half = k / 2;  // in two steps, for 2^k may lie beyond the range where the value does not
  const double first = double_of(static_cast<std::uint64_t>(1023 + half) << 52);
  const double second = double_of(static_cast<std::uint64_t>(1023 + k - half) << 52);
  return fma(f, q, 1.0) * first * second;
}

// ln(e^x - 1) for x > 0, whose softplus ln(1 + e^y) is x. Error 4e-16, relative where |y| > 1.
inline double inverse_softplus(double x) {
  if (x > 64.0) return x;
  if (x > 1.0) return x + logarithm(1.0 - power_of_two(x * -0x1.71547652b82fep+0, 0.0));
  double q = kExpm1[kDegreeExpm1];
#pragma GCC unroll 16
  for (int d = kDegreeExpm1 - 1; d >= 0; --d) q = fma(q, x, kExpm1[d]);
  return logarithm(x * q);
}

inline double mapped(ValueMap map, double x) {
  switch (map) {
    case ValueMap::kLog:
      return logarithm(x);
    case ValueMap::kInverseSoftplus:
      return inverse_softplus(x);
    default:
      return x;
  }
}

}  // namespace
}  // namespace fanfill
