// The values that a dtype has next to a real number: the smallest not below it, the largest not above it.
// It must not know laws; it runs once per law, never per value.
#pragma once

#include "kernel/law_plan.hpp"

namespace fanfill {

// Saturating at the finite range; infinities give its ends. Zero comes out as +0.
double smallest_at_least(DType dtype, double bound);
double largest_at_most(DType dtype, double bound);
double largest_below(DType dtype, double bound);
// The bits of the value nearest to v (to even, saturating) in the dtype, through float32 for all but float64.
std::uint64_t nearest_code(DType dtype, double v);

}  // namespace fanfill
