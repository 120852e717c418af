// A law made ready for one dtype: every constant that a kernel needs, validated and rounded once.
// It must not know how the constants were found (law.cpp) nor how a value is made of them (laws.hpp).
#pragma once

#include <cstddef>
#include <cstdint>

#include "../include/fanfill/fanfill.hpp"

namespace fanfill {

// How a word becomes a value. The names are those of docs/contract.md.
enum class Transform : std::uint8_t {
  kConstant,
  kUniform,           // in float64 arithmetic, float64 itself in two of them
  kUniformSymmetric,  // bounds at +-a; the arithmetic of the dtype
  kNormal,
  kTruncatedSymmetric,  // bounds at +-c sigma
  kTruncatedSides,      // a threshold on the word picks the side of zero; float32 arithmetic
  kTruncatedWide,       // as sides, in float64 arithmetic, then rounded
  kTruncatedFar,        // beyond 12 sigma: logarithms instead of the table
  kLogUniform,
  kArange  // of the index instead of a word
};

// One side of zero of a truncated normal: p and x = 1 - p, each its own linear function of the index.
struct Side {
  double p_step = 0.0;  // p = p_far + p_step * (m + 1/2), m counted from the far bound
  double p_far = 0.0;
  double x_near = 0.0;         // x = x_near + p_step * (j + 1/2), j counted from the near bound
  double near = 0.0;           // |z| of the bound nearer to zero, far transform only
  bool deep = false;           // the last 2^16 indices are split further by tail words
  float p_step_scaled = 0.0f;  // p_step * 2^31, and the offset of m = 0, for P = p * 2^31
  float p_far_scaled = 0.0f;
  float p_bound_scaled = 0.0f;  // p_far * 2^31
  float s_step = 0.0f;          // +-std * p_step, and the offset of j = 0
  float s_near = 0.0f;
};

struct LawPlan {
  DType dtype = DType::kFloat32;
  Transform transform = Transform::kConstant;
  bool deep = false;    // normal, truncated symmetric: n < 2^16 takes a tail word
  bool within = false;  // truncated symmetric: float32 values stay within the bounds without a clamp
  bool has_negative = false, has_positive = false;  // sides
  std::uint64_t threshold =
      0;  // sides: biased words below it are negative; the side's size is exact with the flags
  std::uint64_t constant_bits = 0;

  // float32 arithmetic
  float k = 0.0f;  // std * 2^-31 (times 1 - p_c when truncated); symmetric uniform: half the width * 2^-31
  float mean = 0.0f;
  float p_scale = 1.0f;  // truncated symmetric: 1 - p_c, and p_c * 2^31
  float p_far = 0.0f;
  float low =
      0.0f;  // values of the dtype; every value is clamped between them where the law or dtype has bounds
  float high = 0.0f;

  // float64 arithmetic
  double k64 = 0.0;     // std * 2^-63 ...; uniform: half the width * 2^-31, or 2^-63 for float64
  double mean64 = 0.0;  // uniform: the middle
  double std64 = 0.0;
  double p_scale64 = 1.0;
  double p_far64 = 0.0;  // p_c * 2^63
  double low64 = 0.0;
  double high64 = 0.0;

  Side negative, positive;

  // log-uniform and arange: what is drawn before the map
  ValueMap map = ValueMap::kIdentity;
  double start = 0.0;  // log-uniform: the lower bound or the floor; arange: the first element
  double stop = 0.0;   // log-uniform: the upper bound
  // log-uniform: the exponent is middle + half * t, t in (-1, 1), each in two parts
  double log2_middle = 0.0;
  double log2_middle_rest = 0.0;
  double log2_half = 0.0;
  double log2_half_rest = 0.0;
  double step = 0.0;  // arange
  std::uint64_t period = 1;
};

// What each dtype is made of. Static, so that no unit shares a copy compiled for another instruction set.
static constexpr std::size_t element_size(DType dtype) {
  return dtype == DType::kFloat64 ? 8 : dtype == DType::kFloat32 ? 4 : dtype <= DType::kFloat16 ? 2 : 1;
}
// The largest finite value of the dtypes that a float32 is rounded to.
static constexpr float finite_limit(DType dtype) {
  return dtype == DType::kBFloat16     ? 0x1.FEp127f
         : dtype == DType::kFloat16    ? 65504.0f
         : dtype == DType::kFloat8E4M3 ? 448.0f
         : dtype == DType::kFloat8E5M2 ? 57344.0f
                                       : 0x1.FFFFFEp127f;
}

}  // namespace fanfill
