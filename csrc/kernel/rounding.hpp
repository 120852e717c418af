// Rounding of one float32 value to each narrower dtype: to nearest, ties to even, in integer arithmetic.
// It must not know vectors or laws; values come clamped to the finite range of the dtype.
#pragma once

#include <cstdint>
#include <cstring>

namespace fanfill {
namespace {

inline std::uint32_t bits_of(float v) {
  std::uint32_t b;
  std::memcpy(&b, &v, sizeof b);
  return b;
}
inline float float_of(std::uint32_t b) {
  float v;
  std::memcpy(&v, &b, sizeof v);
  return v;
}
inline std::uint64_t bits_of(double v) {
  std::uint64_t b;
  std::memcpy(&b, &v, sizeof b);
  return b;
}
inline double double_of(std::uint64_t b) {
  double v;
  std::memcpy(&v, &b, sizeof v);
  return v;
}

// a * b + c, rounded once. The builtins, because <cmath> would bring weak symbols into the units of the ISAs.
inline float fma(float a, float b, float c) { return __builtin_fmaf(a, b, c); }
inline double fma(double a, double b, double c) { return __builtin_fma(a, b, c); }

inline std::uint16_t bf16_code(float v) {
  const std::uint32_t b = bits_of(v);
  return static_cast<std::uint16_t>((b + 0x7FFFu + ((b >> 16) & 1u)) >> 16);
}

// Any format with kMantissa bits after the point and exponent bias kBias, sign above kExponentBits.
// Normal results: the float's own bits with the exponent rebased, plus just under half of the last place and
// one more if that place is odd. Subnormal results: adding 2^23 quanta makes the addition round at the
// quantum.
template <int kMantissa, int kBias, int kExponentBits>
inline std::uint32_t small_code(float v) {
  constexpr int kShift = 23 - kMantissa;
  const std::uint32_t b = bits_of(v), magnitude = b & 0x7FFFFFFFu;
  std::uint32_t code;
  if (magnitude < static_cast<std::uint32_t>(128 - kBias) << 23) {
    const std::uint32_t magic = static_cast<std::uint32_t>(127 + 24 - kMantissa - kBias) << 23;
    code = bits_of(float_of(magnitude) + float_of(magic)) - magic;
  } else {
    const std::uint32_t offset =
        ((1u << (kShift - 1)) - 1u) - (static_cast<std::uint32_t>(127 - kBias) << 23);
    code = (magnitude + offset + ((b >> kShift) & 1u)) >> kShift;
  }
  return code | ((b >> 31) << (kMantissa + kExponentBits));
}
inline std::uint16_t f16_code(float v) { return static_cast<std::uint16_t>(small_code<10, 15, 5>(v)); }
// To round at any quantum in one addition: |v| + 2^23 quanta, whose exponent follows that of |v| down to the
// smallest normal. This takes |v|'s power of two to that magic number; to its fraction is added what makes
// the sum of exponent field << kMantissa and fraction the code, modulo 128.
template <int kMantissa, int kBias>
constexpr int kFloat8Magic = ((23 - kMantissa) << 23) +
                             (0x80 - (((128 - kBias + 23 - kMantissa) << kMantissa) & 0x7F)) % 0x80;
template <int kMantissa, int kBias>
inline std::uint8_t f8_code(float v) {
  return static_cast<std::uint8_t>(small_code<kMantissa, kBias, 7 - kMantissa>(v));
}

}  // namespace
}  // namespace fanfill
