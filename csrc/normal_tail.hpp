// The mass of a normal within and beyond a bound, from operations that IEEE 754 rounds exactly: no libm.
// It must not know laws or dtypes; it runs once per law, never per value.
#pragma once

#include "double_double.hpp"

namespace fanfill {

struct NormalMass {
  DoubleDouble outside;  // p = P(|Z| > z)
  DoubleDouble inside;   // x = 1 - p
};

// For z in [0, 37], or infinity. Both parts keep a relative error below 2^-80.
NormalMass normal_mass(double z);

// The standard deviation of a standard normal truncated at +-c, 0 < c, rounded once; c / sqrt 3 as c goes to
// 0.
double truncated_std(double c);

}  // namespace fanfill
