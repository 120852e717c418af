// The plans of the laws that a fill has met last.
// It must not know what a plan holds, nor which job asks for it.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>

#include "fanfill/fanfill.hpp"
#include "law.hpp"

namespace fanfill {

inline bool same_bits(double a, double b) noexcept { return std::memcmp(&a, &b, sizeof a) == 0; }

inline bool same_law(const Law& a, const Law& b) noexcept {
  return a.kind == b.kind && a.unit == b.unit && a.correct_variance == b.correct_variance &&
         same_bits(a.mean, b.mean) && same_bits(a.std, b.std) && same_bits(a.low, b.low) &&
         same_bits(a.high, b.high) && a.map == b.map && same_bits(a.floor, b.floor) &&
         same_bits(a.step, b.step) && a.period == b.period;
}

// A model's tensors alternate between a handful of laws, and planning one may take longer than filling a
// small tensor.
class PlanCache {
 public:
  // Null where the law is not among those met last.
  const LawPlan* known(const Law& law, DType dtype) const noexcept {
    for (std::size_t i = 0; i < used_; ++i) {
      if (entries_[i].dtype == dtype && same_law(entries_[i].law, law)) return &entries_[i].plan;
    }
    return nullptr;
  }

  Status plan(const Law& law, DType dtype) noexcept {
    if (known(law, dtype) != nullptr) return Status::kOk;
    Entry& entry = entries_[next_];
    const Status status = plan_law(law, dtype, &entry.plan);
    if (status != Status::kOk) return status;
    entry.law = law;
    entry.dtype = dtype;
    next_ = (next_ + 1) % kEntries;
    used_ = std::max(used_, next_ == 0 ? kEntries : next_);
    return Status::kOk;
  }

 private:
  static constexpr std::size_t kEntries = 8;
  struct Entry {
    Law law;
    DType dtype;
    LawPlan plan;
  };
  Entry entries_[kEntries];
  std::size_t used_ = 0;
  std::size_t next_ = 0;
};

}  // namespace fanfill
