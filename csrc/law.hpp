// Turns a law and a dtype into a plan: validates, finds the constants, rounds each once.
// It must not know memory, regions or instruction sets.
#pragma once

#include "fanfill/fanfill.hpp"
#include "kernel/law_plan.hpp"

namespace fanfill {

// kOk, or why this law can't be drawn in this dtype; the plan is then unspecified. Whatever floating-point
// environment the caller has, the constants are the same.
Status plan_law(const Law& law, DType dtype, LawPlan* plan) noexcept;

}  // namespace fanfill
