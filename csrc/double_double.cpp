// The arithmetic of double_double.hpp by sums and products whose rounding errors are exact (Dekker 1971,
// Knuth 1969). It must not call libm, or two machines would draw different weights.
#include "double_double.hpp"

#include <cstdint>
#include <cstring>

namespace fanfill {
namespace {

constexpr DoubleDouble kLn2{0x1.62e42fefa39efp-1, 0x1.abc9e3b39803fp-56};
constexpr double kLn2Third = 0x1.7b57a079a1934p-111;

// 2^-k for 0 <= k <= 1022 + 52, exact.
DoubleDouble scale_down(DoubleDouble v, int k) {
  for (; k > 500; k -= 500) v = {v.hi * 0x1p-500, v.lo * 0x1p-500};
  for (; k > 0; --k) v = {v.hi * 0.5, v.lo * 0.5};
  return v;
}

}  // namespace

DoubleDouble two_sum(double a, double b) {
  const double s = a + b, t = s - a;
  return {s, (a - (s - t)) + (b - t)};
}
DoubleDouble quick_two_sum(double a, double b) {
  const double s = a + b;
  return {s, b - (s - a)};
}
DoubleDouble two_product(double a, double b) {
  const double p = a * b;
  return {p, __builtin_fma(a, b, -p)};
}

DoubleDouble operator+(DoubleDouble a, DoubleDouble b) {
  DoubleDouble s = two_sum(a.hi, b.hi);
  const DoubleDouble t = two_sum(a.lo, b.lo);
  s = quick_two_sum(s.hi, s.lo + t.hi);
  return quick_two_sum(s.hi, s.lo + t.lo);
}
DoubleDouble operator-(DoubleDouble a, DoubleDouble b) { return a + DoubleDouble{-b.hi, -b.lo}; }
DoubleDouble operator*(DoubleDouble a, DoubleDouble b) {
  DoubleDouble p = two_product(a.hi, b.hi);
  p.lo = __builtin_fma(a.hi, b.lo, __builtin_fma(a.lo, b.hi, p.lo));
  return quick_two_sum(p.hi, p.lo);
}
DoubleDouble operator/(DoubleDouble a, DoubleDouble b) {
  const double q1 = a.hi / b.hi;
  DoubleDouble r = a - whole(q1) * b;
  const double q2 = r.hi / b.hi;
  r = r - whole(q2) * b;
  return quick_two_sum(q1, q2) + whole(r.hi / b.hi);
}

DoubleDouble square_root(DoubleDouble a) {
  const double s = __builtin_sqrt(a.hi);
  const DoubleDouble rest = a - two_product(s, s);
  return quick_two_sum(s, rest.hi / (2.0 * s));
}

DoubleDouble exp_minus(DoubleDouble y) {
  const int k = static_cast<int>(y.hi / kLn2.hi + 0.5);
  const double kd = static_cast<double>(k);
  DoubleDouble r = two_product(kd, kLn2.hi) - y;  // r = k ln 2 - y, in [-ln2/2, ln2/2]
  r = r + two_product(kd, kLn2.lo) + whole(kd * kLn2Third);
  DoubleDouble sum = whole(1.0);
  for (int i = 30; i >= 1; --i) sum = whole(1.0) + r * sum / whole(static_cast<double>(i));
  return scale_down(sum, k);
}

DoubleDouble log2_of(double v) {
  std::uint64_t bits;
  std::memcpy(&bits, &v, sizeof bits);
  int exponent = static_cast<int>(bits >> 52) - 1023;
  bits = (bits & 0xFFFFFFFFFFFFFu) | 0x3FF0000000000000u;
  double m;
  std::memcpy(&m, &bits, sizeof m);
  if (m > 1.4142135623730951) {
    m *= 0.5;
    ++exponent;
  }
  // ln m = 2 artanh y, y = (m - 1) / (m + 1), |y| < 0.172: 24 terms leave 2^-122 of the first.
  const DoubleDouble y = whole(m - 1.0) / two_sum(m, 1.0), square = y * y;
  DoubleDouble sum = whole(0.0);
  for (int i = 47; i >= 1; i -= 2) sum = sum * square + whole(1.0) / whole(static_cast<double>(i));
  return whole(static_cast<double>(exponent)) + whole(2.0) * y * sum / kLn2;
}

}  // namespace fanfill
