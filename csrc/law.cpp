// Turns a law and a dtype into a plan: what docs/contract.md, "Parameters", says, step by step.
// It must not know memory, regions or instruction sets, and calls nothing of libm.
#include "law.hpp"

#include "double_double.hpp"
#include "dtype_value.hpp"
#include "kernel/environment.hpp"
#include "kernel/value.hpp"
#include "normal_tail.hpp"

namespace fanfill {
namespace {

constexpr double kInfinity = __builtin_huge_val();
constexpr double kFarthest = 37.0;    // sigmas; p is about 1e-299
constexpr double kTableReach = 12.0;  // the float64 table's rows end a word's width beyond
constexpr double kNormalMin32 = 0x1p-126;
constexpr double kNormalMin64 = 0x1p-1022;
constexpr std::uint64_t kMaxPeriod = std::uint64_t{1} << 53;  // float64 counts so far

double magnitude(double v) { return v < 0.0 ? -v : v; }
double smaller(double a, double b) { return b < a ? b : a; }
double larger(double a, double b) { return b > a ? b : a; }
bool is_nan(double v) { return v != v; }
bool is_finite(double v) { return magnitude(v) < kInfinity; }
bool is_double(DType dtype) { return dtype == DType::kFloat64; }
float to_float(double v) { return static_cast<float>(v); }

// The largest magnitude that the law's arithmetic may reach, float8 and float16 saturating from float32.
double arithmetic_limit(DType dtype) {
  if (is_double(dtype)) return 0x1.FFFFFFFFFFFFFp1023;
  return dtype == DType::kBFloat16 ? 0x1.FEp127 : 0x1.FFFFFEp127;
}
bool is_subnormal(DType dtype, double k) {
  return magnitude(k) < (is_double(dtype) ? kNormalMin64 : kNormalMin32);
}

void set_range(LawPlan* plan, double low, double high) {
  plan->low64 = low;
  plan->high64 = high;
  if (!is_double(plan->dtype)) {
    plan->low = to_float(low);
    plan->high = to_float(high);
  }
}

Status plan_constant(double value, LawPlan* plan) {
  if (!is_finite(value)) return Status::kNotFinite;
  if (magnitude(value) > arithmetic_limit(plan->dtype)) return Status::kBadMean;
  plan->transform = Transform::kConstant;
  plan->constant_bits = nearest_code(plan->dtype, value);
  return Status::kOk;
}

Status plan_uniform(const Law& law, LawPlan* plan) {
  if (!is_finite(law.low) || !is_finite(law.high)) return Status::kNotFinite;
  if (!(law.low < law.high)) return Status::kEmptyInterval;
  const double limit = arithmetic_limit(plan->dtype);
  if (larger(magnitude(law.low), magnitude(law.high)) > limit) return Status::kBadMean;
  const double half = law.high * 0.5 - law.low * 0.5, middle = law.low * 0.5 + law.high * 0.5;
  const double high = largest_below(plan->dtype, law.high);
  const bool is_symmetric = law.low == -law.high;
  // +-a leaves out both ends, so that mirrored words stay mirrored.
  const double low = is_symmetric ? 0.0 - high : smallest_at_least(plan->dtype, law.low);
  if (!(low <= high)) return Status::kEmptyInterval;
  const double k = half * (is_double(plan->dtype) ? 0x1p-63 : 0x1p-31);
  if (is_subnormal(plan->dtype, k)) return Status::kTooNarrow;
  plan->transform = is_symmetric ? Transform::kUniformSymmetric : Transform::kUniform;
  plan->k64 = k;
  plan->mean64 = middle;
  if (is_symmetric && !is_double(plan->dtype)) plan->k = to_float(k);
  set_range(plan, low, high);
  return Status::kOk;
}

// What the normal and the truncated normal share: mean, std and their limits.
Status check_normal(const Law& law, double reach, DType dtype) {
  if (!is_finite(law.mean) || is_nan(law.std)) return Status::kNotFinite;
  if (!(law.std >= 0.0) || !is_finite(law.std)) return Status::kBadStd;
  const double limit = arithmetic_limit(dtype);
  if (magnitude(law.mean) > limit) return Status::kBadMean;
  if (magnitude(law.mean) + smaller(reach, 10.0) * law.std > limit) return Status::kBadStd;
  if (law.std > 0.0 && is_subnormal(dtype, law.std * (is_double(dtype) ? 0x1p-63 : 0x1p-31)))
    return Status::kBadStd;
  return Status::kOk;
}

void set_normal(double mean, double std, double inside, LawPlan* plan) {
  plan->mean64 = mean;
  plan->std64 = std;
  plan->k64 = std * inside * 0x1p-63;
  if (!is_double(plan->dtype)) {
    plan->mean = to_float(mean);
    plan->k = to_float(std * inside * 0x1p-31);
  }
}

Status plan_normal(const Law& law, LawPlan* plan) {
  const Status status = check_normal(law, 10.0, plan->dtype);
  if (status != Status::kOk) return status;
  if (law.std == 0.0) return plan_constant(law.mean, plan);
  plan->transform = Transform::kNormal;
  plan->deep = true;
  set_normal(law.mean, law.std, 1.0, plan);
  const double limit = is_double(plan->dtype) ? kInfinity : double{finite_limit(plan->dtype)};
  set_range(plan, -limit, limit);
  return Status::kOk;
}

// A truncated normal in units of sigma and in values, after the correction of the variance.
struct Bounds {
  double alpha, beta, low, high, std;
};

Status find_bounds(const Law& law, Bounds* bounds) {
  if (is_nan(law.low) || is_nan(law.high)) return Status::kNotFinite;
  if (!(law.low < law.high) && law.std > 0.0) return Status::kEmptyInterval;
  const bool in_sigmas = law.unit == BoundUnit::kSigma;
  double std = law.std;
  if (law.correct_variance) {
    if (!in_sigmas || law.low != -law.high || !is_finite(law.high)) return Status::kNotSymmetric;
    std = law.std / truncated_std(law.high);
    if (!is_finite(std)) return Status::kBadStd;
  }
  if (in_sigmas) {
    const double low = law.low == -kInfinity ? law.low : __builtin_fma(law.low, std, law.mean);
    const double high = law.high == kInfinity ? law.high : __builtin_fma(law.high, std, law.mean);
    *bounds = {law.low, law.high, low, high, std};
  } else {
    *bounds = {(law.low - law.mean) / std, (law.high - law.mean) / std, law.low, law.high, std};
  }
  return Status::kOk;
}

// One side of zero, |z| from near to far, over `count` indices.
Side make_side(double near, double far, double count, double std, bool is_far_out) {
  Side side;
  const NormalMass at_near = normal_mass(near), at_far = normal_mass(far);
  const DoubleDouble mass = near == 0.0 ? at_far.inside : at_near.outside - at_far.outside;
  side.near = near;
  if (is_far_out) {  // in shares of what lies beyond `near`
    side.p_step = (mass / at_near.outside).hi / count;
    side.p_far = (at_far.outside / at_near.outside).hi;
  } else {
    side.p_step = mass.hi / count;
    side.p_far = at_far.outside.hi;
  }
  side.x_near = at_near.inside.hi;
  side.deep = side.p_far < side.p_step * 65536.0;
  side.p_step_scaled = to_float(side.p_step * 0x1p31);
  side.p_bound_scaled = to_float(side.p_far * 0x1p31);
  side.p_far_scaled = to_float((side.p_far + side.p_step * 0.5) * 0x1p31);
  side.s_step = to_float(std * side.p_step);
  side.s_near = to_float(std * (side.x_near + side.p_step * 0.5));
  return side;
}

// Whether float32 arithmetic is fine enough near the bounds: its rounding noise below 2^-22 of the law's
// width.
bool fits_float32(const LawPlan& plan, const Bounds& b, double near) {
  if (is_double(plan.dtype)) return false;
  const double width = smaller(b.high - b.low, b.std / larger(near, 1.0));
  const bool is_fine = magnitude(plan.mean64) + b.std * (near + 1.0) <= 4.0 * width;
  const double step = smaller(plan.has_negative ? magnitude(double{plan.negative.s_step}) : kInfinity,
                              plan.has_positive ? magnitude(double{plan.positive.s_step}) : kInfinity);
  return is_fine && step >= kNormalMin32;
}

Status plan_sides(const Bounds& b, LawPlan* plan) {
  const bool is_wide_word = is_double(plan->dtype);
  const double words = is_wide_word ? 0x1p64 : 0x1p32;
  double negative_share = b.alpha < 0.0 ? 1.0 : 0.0;
  if (b.alpha < 0.0 && b.beta > 0.0) {
    const DoubleDouble below = normal_mass(-b.alpha).inside, above = normal_mass(b.beta).inside;
    negative_share = (below / (below + above)).hi;
  }
  double negative_count = negative_share * words;
  const double whole = static_cast<double>(static_cast<std::uint64_t>(negative_count * 0.5)) * 2.0;
  // To the nearest word; above 2^53 every double is whole already.
  if (negative_count < 0x1p52) {
    const double fraction = negative_count - whole;
    negative_count = whole + (fraction >= 1.5 ? 2.0 : fraction >= 0.5 ? 1.0 : 0.0);
  }
  plan->has_negative = negative_count > 0.0;
  plan->has_positive = negative_count < words;
  plan->threshold = plan->has_positive ? static_cast<std::uint64_t>(negative_count)
                                       : (is_wide_word ? 0 : std::uint64_t{1} << 32);
  const double near_negative = larger(0.0, -b.beta), near_positive = larger(0.0, b.alpha);
  const double near = larger(near_negative, near_positive);
  const bool is_far_out = near > kTableReach;
  if (plan->has_negative)
    plan->negative = make_side(near_negative, -b.alpha, negative_count, -b.std, is_far_out);
  if (plan->has_positive)
    plan->positive = make_side(near_positive, b.beta, words - negative_count, b.std, is_far_out);
  plan->transform = is_far_out                     ? Transform::kTruncatedFar
                    : fits_float32(*plan, b, near) ? Transform::kTruncatedSides
                                                   : Transform::kTruncatedWide;
  const bool is_fine = (!plan->has_negative || plan->negative.p_step >= kNormalMin64) &&
                       (!plan->has_positive || plan->positive.p_step >= kNormalMin64);
  return is_fine ? Status::kOk : Status::kTooNarrow;
}

// The value of the word nearest to the upper bound, n = 1, before any clamp; the lower one mirrors it.
float extreme_value(const LawPlan& plan, float sign) {
  const float p = fma(1.0f, plan.p_scale, plan.p_far);
  return fma(quantile_of(p), sign * 0x1p31f * plan.k, plan.mean);
}

// Rounding may carry the outermost values an ulp past the bounds. Lowering k by its last place a few times, a
// change of scale of 1e-7, brings them back, and float32 then needs no clamp.
void keep_within(const Bounds& b, LawPlan* plan) {
  if (plan->deep) return;
  const float low = to_float(smallest_at_least(DType::kFloat32, b.low));
  const float high = to_float(largest_at_most(DType::kFloat32, b.high));
  for (int i = 0; i < 4 && !plan->within; ++i) {
    plan->within = extreme_value(*plan, 1.0f) <= high && extreme_value(*plan, -1.0f) >= low;
    if (!plan->within) plan->k = float_of(bits_of(plan->k) - 1);
  }
}

Status plan_truncated(const Law& law, LawPlan* plan) {
  const double reach = law.unit == BoundUnit::kSigma ? larger(magnitude(law.low), magnitude(law.high)) : 10.0;
  Status status = check_normal(law, reach, plan->dtype);
  if (status != Status::kOk) return status;
  Bounds b{};
  status = find_bounds(law, &b);
  if (status != Status::kOk) return status;
  Law corrected = law;
  corrected.std = b.std;
  if (law.std > 0.0) status = check_normal(corrected, reach, plan->dtype);
  if (status != Status::kOk) return status;
  const double limit = is_double(plan->dtype) ? 0x1.FFFFFFFFFFFFFp1023 : double{finite_limit(plan->dtype)};
  const double low = smallest_at_least(plan->dtype, larger(b.low, -limit));
  const double high = largest_at_most(plan->dtype, smaller(b.high, limit));
  if (!(low <= high)) return Status::kEmptyInterval;
  if (law.std == 0.0)
    return law.mean < low || law.mean > high ? Status::kEmptyInterval : plan_constant(law.mean, plan);
  if (larger(b.alpha, -b.beta) > kFarthest) return Status::kBoundsTooFar;
  if (b.alpha == -b.beta) {
    const NormalMass mass = normal_mass(b.beta);
    plan->transform = Transform::kTruncatedSymmetric;
    set_normal(law.mean, b.std, mass.inside.hi, plan);
    if (is_subnormal(plan->dtype, is_double(plan->dtype) ? plan->k64 : double{plan->k}))
      return Status::kTooNarrow;
    plan->p_scale64 = mass.inside.hi;
    plan->p_far64 = mass.outside.hi * 0x1p63;
    plan->p_scale = to_float(mass.inside.hi);
    plan->p_far = to_float(mass.outside.hi * 0x1p31);
    plan->deep = mass.outside.hi < 0x1p-15;
    if (!is_double(plan->dtype)) keep_within(b, plan);
  } else {
    set_normal(law.mean, b.std, 1.0, plan);
    status = plan_sides(b, plan);
    if (status != Status::kOk) return status;
  }
  set_range(plan, low, high);
  return Status::kOk;
}

// -- Log-uniform and arange ---------------------------------------------------------------------------------

// Where values lie before the map.
struct Interval {
  double low, high;
};

Status find_interval(const Law& law, Interval* interval) {
  if (!is_finite(law.low) || !is_finite(law.high) || !is_finite(law.floor)) return Status::kNotFinite;
  if (!(law.low > 0.0)) return Status::kNotPositive;
  if (law.low < kNormalMin64) return Status::kTooNarrow;
  *interval = {larger(law.low, law.floor), law.high};
  return interval->low < interval->high && law.low < law.high ? Status::kOk : Status::kEmptyInterval;
}

// The nearest float64, and the nearest float32 to what is left.
void split(DoubleDouble v, double* nearest, double* rest) {
  *nearest = v.hi;
  *rest = double{to_float(v.lo)};
}

Status plan_log_uniform(const Law& law, LawPlan* plan) {
  Interval interval{};
  const Status status = find_interval(law, &interval);
  if (status != Status::kOk) return status;
  if (law.high > arithmetic_limit(plan->dtype)) return Status::kBadMean;
  // The maps rise.
  const double low = smallest_at_least(plan->dtype, mapped(law.map, interval.low));
  const double high = largest_at_most(plan->dtype, mapped(law.map, interval.high));
  if (!(low <= high)) return Status::kEmptyInterval;
  const DoubleDouble from = log2_of(law.low), to = log2_of(law.high), middle = to + from, half = to - from;
  plan->transform = Transform::kLogUniform;
  plan->map = law.map;
  plan->start = interval.low;
  plan->stop = interval.high;
  split({middle.hi * 0.5, middle.lo * 0.5}, &plan->log2_middle, &plan->log2_middle_rest);
  split({half.hi * 0.5, half.lo * 0.5}, &plan->log2_half, &plan->log2_half_rest);
  set_range(plan, low, high);
  return Status::kOk;
}

// The smallest and the largest element, which are the first and the last, before the map.
Status find_ends(const Law& law, Interval* ends) {
  if (!is_finite(law.low) || !is_finite(law.step)) return Status::kNotFinite;
  if (law.period < 1 || law.period > kMaxPeriod) return Status::kBadArgument;
  const double last = __builtin_fma(static_cast<double>(law.period - 1), law.step, law.low);
  if (!is_finite(last)) return Status::kBadMean;
  *ends = {smaller(law.low, last), larger(law.low, last)};
  if (law.map == ValueMap::kIdentity || ends->low >= kNormalMin64) return Status::kOk;
  return ends->low > 0.0 ? Status::kTooNarrow : Status::kNotPositive;
}

Status plan_arange(const Law& law, LawPlan* plan) {
  Interval ends{};
  const Status status = find_ends(law, &ends);
  if (status != Status::kOk) return status;
  if (larger(-ends.low, ends.high) > arithmetic_limit(plan->dtype)) return Status::kBadMean;
  plan->transform = Transform::kArange;
  plan->map = law.map;
  plan->start = law.low;
  plan->step = law.step;
  plan->period = law.period;
  const double limit = is_double(plan->dtype) ? kInfinity : double{finite_limit(plan->dtype)};
  set_range(plan, -limit, limit);
  return Status::kOk;
}

__attribute__((noinline)) Status plan_in_order(const Law& law, LawPlan* plan) {
  switch (law.kind) {
    case LawKind::kConstant:
      return plan_constant(law.mean, plan);
    case LawKind::kUniform:
      return plan_uniform(law, plan);
    case LawKind::kNormal:
      return plan_normal(law, plan);
    case LawKind::kTruncatedNormal:
      return plan_truncated(law, plan);
    case LawKind::kLogUniform:
      return plan_log_uniform(law, plan);
    case LawKind::kArange:
      return plan_arange(law, plan);
  }
  return Status::kBadArgument;
}

__attribute__((noinline)) Status facts_in_order(const Law& law, LawFacts* facts) {
  *facts = {law.mean, 0.0, -kInfinity, kInfinity};
  if (law.kind == LawKind::kUniform) {
    *facts = {law.low * 0.5 + law.high * 0.5, 0.0, law.low, law.high};
  } else if (law.kind == LawKind::kNormal) {
    facts->std = law.std;
  } else if (law.kind == LawKind::kTruncatedNormal) {
    Bounds b{};
    const Status status = find_bounds(law, &b);
    if (status != Status::kOk) return status;
    *facts = {law.mean, b.std, b.low, b.high};
  } else if (law.kind == LawKind::kLogUniform) {
    Interval interval{};
    const Status status = find_interval(law, &interval);
    if (status != Status::kOk) return status;
    *facts = {0.0, 0.0, mapped(law.map, interval.low), mapped(law.map, interval.high)};
  } else if (law.kind == LawKind::kArange) {
    Interval ends{};
    const Status status = find_ends(law, &ends);
    if (status != Status::kOk) return status;
    *facts = {0.0, 0.0, mapped(law.map, ends.low), mapped(law.map, ends.high)};
  }
  return Status::kOk;
}

}  // namespace

Status plan_law(const Law& law, DType dtype, LawPlan* plan) noexcept {
  const Environment environment;
  *plan = LawPlan{};
  plan->dtype = dtype;
  return plan_in_order(law, plan);
}

Status law_facts(const Law& law, LawFacts* facts) noexcept {
  const Environment environment;
  return facts_in_order(law, facts);
}

}  // namespace fanfill
