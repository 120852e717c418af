// The mass of a normal within and beyond a bound, in double-double arithmetic. It must not call libm, or two
// machines would draw different weights.
#include "normal_tail.hpp"

namespace fanfill {
namespace {

constexpr DoubleDouble kSqrtTwoOverPi{0x1.9884533d43651p-1, -0x1.cbc0d30ebfd15p-55};

// The last results of a slow function of one number: a model draws its many tensors from a few laws, and
// finding a truncated one's constants takes longer than filling a small tensor.
template <class Result>
class Recent {
 public:
  template <class Function>
  Result get(double of, Function function) {
    for (unsigned i = 0; i < used_; ++i)
      if (entries_[i].of == of) return entries_[i].result;
    const Result result = function(of);
    entries_[next_] = {of, result};
    next_ = (next_ + 1) % kEntries;
    if (used_ < kEntries) ++used_;
    return result;
  }

 private:
  static constexpr unsigned kEntries = 16;
  struct Entry {
    double of = 0.0;
    Result result{};
  };
  Entry entries_[kEntries];
  unsigned used_ = 0, next_ = 0;
};

NormalMass find_mass(double z) {
  if (z > 38.0) return {whole(0.0), whole(1.0)};
  const DoubleDouble square = two_product(z, z);
  const DoubleDouble density = kSqrtTwoOverPi * exp_minus({square.hi * 0.5, square.lo * 0.5});  // 2 phi(z)
  if (z <= 6.0) {
    // x = 2 phi(z) (z + z^3/3 + z^5/(3 5) + ...): every term positive.
    DoubleDouble term = whole(z), sum = term;
    for (int i = 3; term.hi > sum.hi * 0x1p-110; i += 2) {
      term = term * square / whole(static_cast<double>(i));
      sum = sum + term;
    }
    const DoubleDouble inside = density * sum;
    return {whole(1.0) - inside, inside};
  }
  // p = 2 phi(z) / (z + 1/(z + 2/(z + 3/(z + ...)))), Laplace.
  DoubleDouble fraction = whole(z);
  for (int i = 80; i >= 1; --i) fraction = whole(z) + whole(static_cast<double>(i)) / fraction;
  const DoubleDouble outside = density / fraction;
  return {outside, whole(1.0) - outside};
}

double find_truncated_std(double c) {
  if (c > 38.0) return 1.0;
  const DoubleDouble square = two_product(c, c);
  if (c <= 6.0) {
    // The variance is 1 - c / S with S = c (1 + c^2 T), T = 1/3 + c^2/(3 5) + c^4/(3 5 7) + ..., that is c^2
    // T / (1 + c^2 T): no term is subtracted, and c stays outside of the square.
    DoubleDouble term = whole(1.0) / whole(3.0), sum = term;
    for (int i = 5; term.hi > sum.hi * 0x1p-110; i += 2) {
      term = term * square / whole(static_cast<double>(i));
      sum = sum + term;
    }
    return (whole(c) * square_root(sum / (whole(1.0) + square * sum))).hi;
  }
  const DoubleDouble density = kSqrtTwoOverPi * exp_minus({square.hi * 0.5, square.lo * 0.5});
  return square_root(whole(1.0) - whole(c) * density / find_mass(c).inside).hi;
}

}  // namespace

NormalMass normal_mass(double z) {
  static thread_local Recent<NormalMass> recent;
  return recent.get(z, find_mass);
}

double truncated_std(double c) {
  static thread_local Recent<double> recent;
  return recent.get(c, find_truncated_std);
}

}  // namespace fanfill
