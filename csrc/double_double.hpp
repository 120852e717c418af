// Numbers as the unevaluated sum of two float64, about 106 bits, and their arithmetic (Dekker, A
// floating-point technique for extending the available precision, 1971). It must not call libm, nor know what
// is computed.
#pragma once

namespace fanfill {

struct DoubleDouble {  // |lo| <= ulp(hi) / 2
  double hi = 0.0;
  double lo = 0.0;
};

DoubleDouble operator+(DoubleDouble a, DoubleDouble b);
DoubleDouble operator-(DoubleDouble a, DoubleDouble b);
DoubleDouble operator*(DoubleDouble a, DoubleDouble b);
DoubleDouble operator/(DoubleDouble a, DoubleDouble b);

DoubleDouble two_sum(double a, double b);        // exact
DoubleDouble quick_two_sum(double a, double b);  // exact for |a| >= |b|
DoubleDouble two_product(double a, double b);    // exact
inline DoubleDouble whole(double v) { return {v, 0.0}; }

DoubleDouble square_root(DoubleDouble a);
DoubleDouble exp_minus(DoubleDouble y);  // e^-y for 0 <= y <= 700
DoubleDouble log2_of(double v);          // for normal v > 0

}  // namespace fanfill
