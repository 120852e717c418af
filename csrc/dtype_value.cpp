// The values that a dtype has next to a real number, by rounding to nearest and stepping where that went too
// far. It must not know laws; it runs once per law, never per value.
#include "dtype_value.hpp"

#include "kernel/rounding.hpp"

namespace fanfill {
namespace {

constexpr double kDoubleLimit = 0x1.FFFFFFFFFFFFFp1023;

double limit_of(DType dtype) { return dtype == DType::kFloat64 ? kDoubleLimit : double{finite_limit(dtype)}; }

double decode(std::uint64_t code, int mantissa, int bias, int exponent_bits) {
  const std::uint64_t fraction = code & ((std::uint64_t{1} << mantissa) - 1);
  const std::uint64_t exponent = (code >> mantissa) & ((std::uint64_t{1} << exponent_bits) - 1);
  const bool negative = ((code >> (mantissa + exponent_bits)) & 1) != 0;
  // The value is fraction * 2^(1 - bias - mantissa) where subnormal, else (2^mantissa + fraction) scaled up.
  const std::uint64_t digits = exponent == 0 ? fraction : fraction | (std::uint64_t{1} << mantissa);
  const std::uint64_t power = exponent == 0 ? 1 : exponent;
  const double scale = double_of((static_cast<std::uint64_t>(1023 - bias - mantissa) + power) << 52);
  const double magnitude = static_cast<double>(static_cast<std::int64_t>(digits)) * scale;
  return negative ? -magnitude : magnitude;
}

double value_of(DType dtype, std::uint64_t code) {
  switch (dtype) {
    case DType::kFloat64:
      return double_of(code);
    case DType::kFloat32:
      return double{float_of(static_cast<std::uint32_t>(code))};
    case DType::kBFloat16:
      return double{float_of(static_cast<std::uint32_t>(code) << 16)};
    case DType::kFloat16:
      return decode(code, 10, 15, 5);
    case DType::kFloat8E4M3:
      return decode(code, 3, 7, 4);
    case DType::kFloat8E5M2:
      return decode(code, 2, 15, 5);
  }
  return 0.0;
}

std::uint64_t sign_of(DType dtype) { return std::uint64_t{1} << (element_size(dtype) * 8 - 1); }

// The next value towards +infinity; codes are sign and magnitude.
std::uint64_t next_up(DType dtype, std::uint64_t code) {
  if ((code & sign_of(dtype)) == 0) return code + 1;
  return code == sign_of(dtype) ? 1 : code - 1;
}

double clamped(double v, double limit) { return v < -limit ? -limit : v > limit ? limit : v; }

}  // namespace

std::uint64_t nearest_code(DType dtype, double v) {
  if (dtype == DType::kFloat64) return bits_of(v);
  const float f = static_cast<float>(clamped(v, limit_of(dtype)));
  switch (dtype) {
    case DType::kBFloat16:
      return bf16_code(f);
    case DType::kFloat16:
      return f16_code(f);
    case DType::kFloat8E4M3:
      return f8_code<3, 7>(f);
    case DType::kFloat8E5M2:
      return f8_code<2, 15>(f);
    default:
      return bits_of(f);
  }
}

double smallest_at_least(DType dtype, double bound) {
  const double limit = limit_of(dtype);
  if (bound > limit) return bound;  // no such value: above everything
  std::uint64_t code = nearest_code(dtype, clamped(bound, limit));
  if (value_of(dtype, code) < bound) code = next_up(dtype, code);
  return value_of(dtype, code) + 0.0;
}

double largest_at_most(DType dtype, double bound) { return 0.0 - smallest_at_least(dtype, -bound); }

double largest_below(DType dtype, double bound) {
  const double v = largest_at_most(dtype, bound);
  if (v < bound) return v;
  return 0.0 - value_of(dtype, next_up(dtype, nearest_code(dtype, -bound)));
}

}  // namespace fanfill
